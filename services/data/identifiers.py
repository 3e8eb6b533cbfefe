"""Columns of numbers that name rows or count them: a model would learn the order of one file from them."""

import re

import numpy as np

from protocol.learning.statistic import Matrix
from services.common.errors import UnusableColumn

_LEAST_ROWS = 10
"""Of fewer, any column may happen to be in order."""
_LARGEST = 2**53 - 1
"""Larger numbers that are read as they are were not written digit by digit."""
_NAMED = re.compile(r"(^|[^A-Za-z])[iI][dD]$|[a-z]I[dD]$")
"""id, patient_id, Order-ID, customerId."""
_REMEDY = "--columns takes it all the same"


def require_measurement(name: str, values: Matrix) -> None:
    """Raise UnusableColumn for a column of numbers that measures nothing.

    Its name ends in "id", or its values are whole numbers, each of them once, that only rise or only fall
    from row to row, or are all that there are between the least and the largest.
    """
    if _NAMED.search(name):
        raise UnusableColumn(f"column {name!r} is named as an identifier, which tells nothing; {_REMEDY}")
    if _is_count(values):
        raise UnusableColumn(f"column {name!r} counts the rows in whole numbers; {_REMEDY}")


def _is_count(values: Matrix) -> bool:
    is_whole = np.array_equal(values, np.floor(values))  # nan equals nothing
    if len(values) < _LEAST_ROWS or not is_whole or np.abs(values).max() > _LARGEST:
        return False
    steps = np.diff(values)
    if (steps > 0).all() or (steps < 0).all():
        return True
    return bool(np.ptp(values) == len(values) - 1 and len(np.unique(values)) == len(values))
