"""Moments as commands, files and messages write them."""

from datetime import UTC, datetime


def format_time(seconds: float) -> str:
    """A moment (seconds since 1970) to the second, with its zone: 2026-11-17T09:30:00Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
