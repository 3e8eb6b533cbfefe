"""Factors of columns that are numbers, by their names alone."""

from collections.abc import Sequence

from protocol.learning.statistic import Matrix, Statistic, select
from protocol.preparation.columns import NumericColumn


def chosen_factor(statistic: Statistic, features: Sequence[str], target: str, *, intercept: bool) -> Matrix:
    """`select` for these columns, of any range."""
    columns = [NumericColumn.of_any_range(name) for name in features]
    return select(statistic, columns, [NumericColumn.of_any_range(target)], intercept=intercept)
