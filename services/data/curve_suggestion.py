"""Which curves a request may ask for, out of the quartiles of a sample's columns."""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Any

import numpy as np

from protocol.learning.statistic import Matrix
from protocol.preparation.bases import Spline
from protocol.preparation.columns import BooleanColumn, CategoricalColumn, Column, DateColumn, NumericColumn
from protocol.preparation.tables import Texts, Values
from protocol.preparation.values import UNIT_DAYS, days_since_1970

_QUARTERS = (0.25, 0.5, 0.75)
_DIGITS = 2
"""Of a knot, which every owner reads: of the range's width, or of a value with a logarithm."""
_FEWEST_VALUES = 10
"""Of a column with a curve: fewer are told apart by fewer weights."""


def quartiles(values: Values) -> tuple[float, ...]:
    """Of a column's values, where there are enough different ones for a curve; else none."""
    if isinstance(values, Texts):
        return ()
    present: Matrix = values[~np.isnan(values)]
    if len(np.unique(present)) < _FEWEST_VALUES:
        return ()
    return tuple(np.quantile(present, _QUARTERS).tolist())


def suggest_curves(
    features: Sequence[Column], found: Mapping[str, Sequence[float]]
) -> tuple[dict[str, Any], ...]:
    """A natural spline of each number and date with knots at its quartiles, rounded, as a document has it."""
    splines = [_spline(column, found.get(column.name, ())) for column in features]
    return tuple(spline.model_dump(mode="json") for spline in splines if spline is not None)


def _spline(column: Column, places: Sequence[float]) -> Spline | None:
    """With those knots that may stand beside each other; None where none may."""
    if isinstance(column, CategoricalColumn | BooleanColumn):
        return None
    found: Spline | None = None
    for place in places:
        knots = (*(() if found is None else found.knots), _rounded(column, place))
        try:
            spline = Spline(kind="spline", column=column.name, knots=knots)
            spline.places(column)
        except ValueError:  # too near to the one before or to an end
            continue
        found = spline
    return found


def _rounded(column: NumericColumn | DateColumn, place: float) -> Decimal:
    value = Decimal(repr(place))
    if isinstance(column, DateColumn):
        value = (value - days_since_1970(column.origin)) / UNIT_DAYS[column.unit]
    if isinstance(column, NumericColumn) and column.log:
        return Context(prec=_DIGITS).create_decimal(value)
    low, high = column.limits
    return value.quantize(Decimal(1).scaleb((high - low).adjusted() + 1 - _DIGITS)) + 0
