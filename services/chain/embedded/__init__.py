"""A chain of our own, for the demo and for tests."""
