"""Proofs that what an owner sends encrypted is made of what it committed to before.

The digest of those commitments is made for the chain; today's join commits to the data card alone
(`protocol.join_digests`).
"""
