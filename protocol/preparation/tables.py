"""Rows as they are read, before any request: numbers with gaps, and texts by their levels."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class Texts(NamedTuple):
    """m texts as places in `levels`, which are distinct; −1 where there is none. Private: no repr."""

    codes: NDArray[np.int64]
    levels: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Texts(rows={len(self.codes)})"

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "Texts":
        """From texts in order, None for a gap."""
        places: dict[str, int] = {}
        codes = [-1 if value is None else places.setdefault(value, len(places)) for value in values]
        return cls(np.array(codes, dtype=np.int64), tuple(places))


ValueKind = Literal["number", "boolean", "date", "text"]
"""How a column is read: truth values as 0 and 1, dates as days since 1970-01-01."""

Values = Matrix | Texts
"""A column: numbers, truth values as 0 and 1 and dates as days since 1970-01-01, nan for a gap; or texts."""

Table = Mapping[str, Values]
"""Columns by name, all of the same length."""


def row_count(table: Table) -> int:
    """m: of its first column."""
    first: Any = next(iter(table.values()))
    return len(first.codes if isinstance(first, Texts) else first)


def rows_of(table: Table, rows: slice | NDArray[np.int64]) -> Table:
    """Some of the rows, in this order."""
    return {
        name: Texts(values.codes[rows], values.levels) if isinstance(values, Texts) else values[rows]
        for name, values in table.items()
    }


def joined(tables: Sequence[Table]) -> Table:
    """The rows of all, one after the other; raises ValueError for none."""
    if not tables:
        raise ValueError("there is no table to join")
    whole: dict[str, Values] = {}
    for name in tables[0]:
        columns = [table[name] for table in tables]
        texts = [column for column in columns if isinstance(column, Texts)]
        numbers = [column for column in columns if not isinstance(column, Texts)]
        whole[name] = _joined_texts(texts) if texts else np.concatenate(numbers)
    return whole


def _joined_texts(columns: Sequence[Texts]) -> Texts:
    places: dict[str, int] = {}
    codes = []
    for column in columns:
        new = [places.setdefault(level, len(places)) for level in column.levels]
        codes.append(np.array([*new, -1], dtype=np.int64)[column.codes])
    return Texts(np.concatenate(codes), tuple(places))
