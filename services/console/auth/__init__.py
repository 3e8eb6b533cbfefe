"""Accounts, sessions and the defences of the console."""
