"""The marketplace contract: its interface, calls, views and logs."""
