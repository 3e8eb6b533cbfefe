"""Transactions of one key: built, signed, sent, replaced, confirmed."""
