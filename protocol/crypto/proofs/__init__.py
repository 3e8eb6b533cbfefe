"""Proofs that what an owner sends encrypted is what it committed to when it joined."""
