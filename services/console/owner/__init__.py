"""The data owner's part of the console."""
