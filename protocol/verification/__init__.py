"""A training rebuilt from what one party keeps of it: pure, offline, and quiet about nothing that differs."""
