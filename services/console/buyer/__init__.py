"""The model buyer's part of the console."""
