"""Inbox, step, outbox: what drives a role."""
