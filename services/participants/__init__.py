"""The shells around the pure roles, and the one place where a participant is put together."""
