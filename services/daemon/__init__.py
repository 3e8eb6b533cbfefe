"""A participant as a process."""
