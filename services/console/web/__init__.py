"""The console's requests: access, pages, live updates, errors."""
