"""Contract events in order, across restarts and reorganisations."""
