"""One module per schema version, each from the one before; what has been released never changes."""
