"""Rows as they are read, before any request: numbers with gaps, and texts by their levels."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class Texts(NamedTuple):
    """m texts as places in `levels`, which are distinct; −1 where there is none."""

    codes: NDArray[np.int64]
    levels: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "Texts":
        """From texts in order, None for a gap."""
        places: dict[str, int] = {}
        codes = [-1 if value is None else places.setdefault(value, len(places)) for value in values]
        return cls(np.array(codes, dtype=np.int64), tuple(places))


Values = Matrix | Texts
"""A column: numbers, truth values as 0 and 1 and dates as days since 1970-01-01, nan for a gap; or texts."""

Table = Mapping[str, Values]
"""Columns by name, all of the same length."""


def row_count(table: Table) -> int:
    """m: of its first column."""
    first: Any = next(iter(table.values()))
    return len(first.codes if isinstance(first, Texts) else first)


def rows_of(table: Table, rows: slice) -> Table:
    """Some of the rows."""
    return {
        name: Texts(values.codes[rows], values.levels) if isinstance(values, Texts) else values[rows]
        for name, values in table.items()
    }
