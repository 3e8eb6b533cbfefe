"""A whole market in one process."""
