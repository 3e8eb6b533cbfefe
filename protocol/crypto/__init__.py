"""Paillier's cryptosystem and what the protocol builds on it."""
