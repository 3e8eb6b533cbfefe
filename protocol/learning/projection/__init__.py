"""Checks that the products of a round's models are those of the signed updates, without reading either.

A *checker* asks the key's holder for the squares of secret combinations of the weights, and tests whether the
products give the same ones.
"""
