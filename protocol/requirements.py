"""What a training asks of data, and whether a data set has it."""

from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import Statistic
from protocol.request import Column, Request


def mismatches(request: Request, statistic: Statistic) -> tuple[str, ...]:
    """Why a data set does not serve a request; empty when it does. For the owner's eyes alone."""
    reasons = [_column_mismatch(column, statistic) for column in (*request.features, request.target)]
    if reasons[-1] is None:
        reasons.append(kind_of(request).target_mismatch(request.target, statistic))
    if statistic.rows < request.bounds.min_rows:
        reasons.append(f"{statistic.rows} rows; at least {request.bounds.min_rows} asked")
    return tuple(reason for reason in reasons if reason is not None)


def _column_mismatch(column: Column, statistic: Statistic) -> str | None:
    if column.name not in statistic.columns:
        return f"no column {column.name!r}"
    index = statistic.columns.index(column.name)
    low, high = float(statistic.minimum[index]), float(statistic.maximum[index])
    minimum, maximum = float(column.minimum), float(column.maximum)
    if low < minimum or high > maximum:
        return f"column {column.name!r} runs from {low:g} to {high:g}; {minimum:g} to {maximum:g} asked"
    return None
