"""The contract from Python: typed calls and views, a nonce-safe sender, a listener that survives reorganisations."""
