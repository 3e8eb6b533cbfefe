"""The engine under every role: start with `machine`, which says how it works."""
