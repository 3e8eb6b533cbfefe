"""Dates as people read them, out of days since 1970-01-01."""

from math import floor

import numpy as np


def day_of(days: float) -> str:
    """The date in which a moment lies, told in days since the beginning of 1970-01-01."""
    return str(np.datetime64(floor(days), "D"))


def moment_of(days: float) -> str:
    """A moment to the microsecond, of whole days the date alone."""
    if days == floor(days):
        return day_of(days)
    return str(np.datetime64(round(days * 86_400_000_000), "us"))
