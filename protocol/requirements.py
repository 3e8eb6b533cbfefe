"""What a training asks of data, and whether a data set has it."""

from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import Statistic
from protocol.preparation.columns import BooleanColumn, CategoricalColumn, Column, DateColumn, NumericColumn
from protocol.preparation.layout import KeptColumn
from protocol.preparation.moments import day_of
from protocol.preparation.values import MAXIMUM_LEVELS, days_since_1970
from protocol.request import Request

_HELD = {
    "numeric": "numbers",
    "boolean": "yes and no",
    "date": "dates",
    "categorical": "texts",
    "text": f"texts, more than {MAXIMUM_LEVELS} different ones or longer than levels may be",
}
_SERVES = {
    "numeric": ("numeric", "boolean"),
    "boolean": ("boolean",),
    "date": ("date",),
    "categorical": ("categorical",),
}


def mismatches(request: Request, statistic: Statistic) -> tuple[str, ...]:
    """Why a data set does not serve a request; empty when it does. For the owner's eyes alone."""
    reasons = [_column_mismatch(column, statistic) for column in (*request.features, request.target)]
    if reasons[-1] is None:
        reasons.append(kind_of(request).target_mismatch(request.target, statistic))
    if statistic.rows < request.bounds.min_rows:
        reasons.append(f"{statistic.rows} rows; at least {request.bounds.min_rows} asked")
    return tuple(reason for reason in reasons if reason is not None)


def _column_mismatch(column: Column, statistic: Statistic) -> str | None:
    kept = statistic.column(column.name)
    if kept is None:
        return f"no column {column.name!r}"
    if kept.kind not in _SERVES[column.kind]:
        return f"column {column.name!r} holds {_HELD[kept.kind]}; {_HELD[column.kind]} asked"
    if kept.gaps and column.missing == "refuse":
        return f"column {column.name!r} has rows without a value; a value in every row asked"
    if isinstance(column, CategoricalColumn):
        return _level_mismatch(column, kept)
    if isinstance(column, BooleanColumn):
        return None
    return _range_mismatch(column, kept)


def _level_mismatch(column: CategoricalColumn, kept: KeptColumn) -> str | None:
    others = [level for level in kept.levels if level not in column.levels]
    if others and column.other == "refuse":
        return f"column {column.name!r} has levels that are not asked for: {', '.join(others)}"
    return None


def _range_mismatch(column: NumericColumn | DateColumn, kept: KeptColumn) -> str | None:
    if kept.clipped is not None and column.outside == "refuse":
        return f"column {column.name!r} was clipped to a range; values as they are asked"
    if column.kind == "numeric" and column.log and not kept.log:
        return f"column {column.name!r} was kept without logarithms; they are asked"
    low, high = kept.minimum or 0.0, kept.maximum or 0.0
    if isinstance(column, DateColumn):
        minimum, maximum = float(days_since_1970(column.minimum)), float(days_since_1970(column.maximum))
        ends = f"{day_of(low)} to {day_of(high)}; {column.minimum} to {column.maximum}"
    else:
        minimum, maximum = float(column.minimum), float(column.maximum)
        ends = f"{low:g} to {high:g}; {minimum:g} to {maximum:g}"
    is_within = minimum <= low and high <= maximum
    return None if is_within else f"column {column.name!r} runs from {ends} asked"
