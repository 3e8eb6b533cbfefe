"""A request's columns as sums of the parts that a statistic is made over: its rows need not be read again."""

from collections.abc import Sequence

import numpy as np

from protocol.preparation.columns import (
    BooleanColumn,
    CategoricalColumn,
    Column,
    DateColumn,
    NumericColumn,
)
from protocol.preparation.layout import GAP, LOG, VALUE, Part
from protocol.preparation.tables import Matrix
from protocol.preparation.values import UNIT_DAYS, days_since_1970

Sum = dict[Part | None, float]
"""Coefficients of parts; that of None is a constant."""


def combination(columns: Sequence[Column], parts: Sequence[Part]) -> Matrix:
    """(k+1)×p: [the k parts, 1] times this are the columns of `design_matrix`.

    A part that is not there is zero in every row: a level that never stands, gaps where there are none. What
    a data set does not have `requirements.mismatches` tells.
    """
    sums = [one for column in columns for one in _sums(column, parts)]
    place = {part: index for index, part in enumerate((*parts, None))}
    matrix = np.zeros((len(place), len(sums)))
    for index, one in enumerate(sums):
        for part, coefficient in one.items():
            if part in place:
                matrix[place[part], index] = coefficient
    return matrix


def _sums(column: Column, parts: Sequence[Part]) -> list[Sum]:
    if isinstance(column, CategoricalColumn):
        return _level_sums(column, parts)
    gap = Part(column.name, GAP)
    fill = column.fill or 0.0
    if isinstance(column, BooleanColumn) and column.level is not None:
        return [{Part(column.name, VALUE, column.level): 1.0}]
    if isinstance(column, DateColumn):
        unit, origin = float(UNIT_DAYS[column.unit]), days_since_1970(column.origin)
        shift = origin / unit
        number: Sum = {Part(column.name, VALUE): 1 / unit, None: -shift, gap: fill + shift}
    else:
        is_log = isinstance(column, NumericColumn) and column.log
        number = {Part(column.name, LOG if is_log else VALUE): 1.0, gap: fill}
    return [number, {gap: 1.0}] if column.missing == "indicator" else [number]


def _level_sums(column: CategoricalColumn, parts: Sequence[Part]) -> list[Sum]:
    gap = Part(column.name, GAP)
    sums: list[Sum] = [
        {Part(column.name, VALUE, level): 1.0, **({gap: 1.0} if level == column.fill else {})}
        for level in column.indicated
    ]
    if column.other == "level":
        here = (part for part in parts if (part.column, part.what) == (column.name, VALUE))
        sums.append({part: 1.0 for part in here if part.level not in column.levels})
    return [*sums, {gap: 1.0}] if column.missing == "indicator" else sums
