"""What a training asks of data, and whether a data set has it."""

from protocol.learning.statistic import Matrix, Statistic, select
from protocol.request import Column, Request


def mismatches(request: Request, statistic: Statistic) -> tuple[str, ...]:
    """Why a data set does not serve a request; empty when it does. For the owner's eyes alone."""
    reasons = [
        reason
        for column in (*request.features, request.target)
        if (reason := _column_mismatch(column, statistic)) is not None
    ]
    if statistic.rows < request.bounds.min_rows:
        reasons.append(f"{statistic.rows} rows; at least {request.bounds.min_rows} asked")
    return tuple(reasons)


def asked_factor(request: Request, statistic: Statistic) -> Matrix:
    """R/√m of [X (1) y] as the request asks, (p+1)×(p+1), out of a data set's factor.

    Raises MisuseError for a column that the data set lacks.
    """
    features = [column.name for column in request.features]
    return select(statistic, features, request.target.name, intercept=request.model.intercept)


def _column_mismatch(column: Column, statistic: Statistic) -> str | None:
    if column.name not in statistic.columns:
        return f"no column {column.name!r}"
    index = statistic.columns.index(column.name)
    low, high = float(statistic.minimum[index]), float(statistic.maximum[index])
    minimum, maximum = float(column.minimum), float(column.maximum)
    if low < minimum or high > maximum:
        return f"column {column.name!r} runs from {low:g} to {high:g}; {minimum:g} to {maximum:g} asked"
    return None
