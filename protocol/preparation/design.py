"""Rows as they are read into the columns of a model, each in its own units.

An owner's statistic gives the same columns without rows (`combination`), but for the functions of bases.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocol.errors import UnusableValue
from protocol.preparation.bases import Basis
from protocol.preparation.columns import (
    BooleanColumn,
    CategoricalColumn,
    Column,
    DateColumn,
    NumericColumn,
)
from protocol.preparation.curves import with_bases
from protocol.preparation.tables import Matrix, Table, Texts, Values, row_count
from protocol.preparation.values import UNIT_DAYS, days_since_1970

Flags = NDArray[np.bool_]


def design_matrix(columns: Sequence[Column], table: Table, bases: Sequence[Basis] = ()) -> Matrix:
    """m×p in the order of `bases.all_parameters(columns, bases)`; m is the number of rows of `table`.

    Raises UnusableValue, with the column and the row (from 0), for a value that the columns do not map.
    """
    blocks = [block for column in columns for block in _blocks(column, table[column.name])]
    design = np.column_stack(blocks) if blocks else np.zeros((row_count(table), 0))
    return with_bases(columns, bases, design)


def outside_counts(columns: Sequence[Column], table: Table) -> Counter[str]:
    """In how many rows each column leaves its declared range, where it does."""
    counts: Counter[str] = Counter()
    for column in columns:
        values = table[column.name]
        if isinstance(column, NumericColumn | DateColumn) and not isinstance(values, Texts):
            low, high = raw_range(column)
            counts[column.name] = int(np.count_nonzero((values < low) | (values > high)))
    return +counts


def raw_range(column: NumericColumn | DateColumn) -> tuple[float, float]:
    """The declared range as rows have it: dates as days since 1970-01-01."""
    if isinstance(column, NumericColumn):
        return float(column.minimum), float(column.maximum)
    return days_since_1970(column.minimum), days_since_1970(column.maximum)


def _blocks(column: Column, values: Values) -> list[Matrix]:
    if isinstance(column, CategoricalColumn):
        if not isinstance(values, Texts):
            raise UnusableValue(column.name, 0, "is a number; texts are asked for")
        return _indicators(column, values)
    if isinstance(column, BooleanColumn) and column.level is not None:
        values = _as_truths(column.name, column.level, values)
    if isinstance(values, Texts):
        raise UnusableValue(column.name, 0, "is a text; numbers are asked for")
    gaps = np.isnan(values)
    if column.fill is None:
        _refuse(column.name, gaps, "has no value")
    numbers = _numbers(column, np.where(gaps, np.nan, values))
    numbers[gaps] = column.fill
    return [numbers, gaps.astype(np.float64)] if column.missing == "indicator" else [numbers]


def _numbers(column: NumericColumn | BooleanColumn | DateColumn, values: Matrix) -> Matrix:
    _refuse(column.name, np.isinf(values), "has an infinite value")
    if isinstance(column, BooleanColumn):
        _refuse(column.name, ~(np.isnan(values) | np.isin(values, (0, 1))), "is neither yes nor no")
        return values
    if column.outside == "clip":
        values = np.clip(values, *raw_range(column))
    if isinstance(column, DateColumn):
        return (values - days_since_1970(column.origin)) / float(UNIT_DAYS[column.unit])
    if column.log:
        _refuse(column.name, values <= 0, "is not above zero, and has no logarithm")
        return np.asarray(np.log(values))
    return values


def _as_truths(name: str, level: str, values: Values) -> Matrix:
    """1 where the level stands, 0 for every other, nan for a gap."""
    if not isinstance(values, Texts):
        raise UnusableValue(name, 0, "is a number; texts are asked for")
    place = values.levels.index(level) if level in values.levels else -2
    return np.where(values.codes < 0, np.nan, values.codes == place)


def _indicators(column: CategoricalColumn, values: Texts) -> list[Matrix]:
    place = {level: code for code, level in enumerate(values.levels)}
    gaps = values.codes < 0
    known = np.isin(values.codes, [place[level] for level in column.levels if level in place])
    if column.missing == "refuse":
        _refuse(column.name, gaps, "has no value")
    if column.other == "refuse":
        _refuse(column.name, ~(known | gaps), f"has another level than {', '.join(column.levels[:10])}")
    levels = [
        (values.codes == place.get(level, -2)) | (gaps & (level == column.fill)) for level in column.indicated
    ]
    others = [~(known | gaps)] if column.other == "level" else []
    missing = [gaps] if column.missing == "indicator" else []
    return [block.astype(np.float64) for block in (*levels, *others, *missing)]


def _refuse(column: str, rows: Flags, reason: str) -> None:
    if rows.any():
        raise UnusableValue(column, int(np.argmax(rows)), reason)
