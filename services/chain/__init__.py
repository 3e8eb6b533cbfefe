"""The contract from Python: typed calls and views, a sender safe for nonces, a listener for its events."""
