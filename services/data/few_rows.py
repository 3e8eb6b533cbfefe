"""Whether a request lets owners take part with too few rows for a fit of their own."""

from collections.abc import Mapping
from typing import NamedTuple

from protocol.request import Request

ROWS_PER_FEATURE: Mapping[str, int] = {
    "logistic_regression": 20,
    "poisson_regression": 10,
    "gamma_regression": 10,
}
"""Of an owner that fits its own model: with fewer its optimum follows its noise, and worthless rows earn.

By kind, as many as keep shuffled targets below a twentieth of the pot on average, by `make bench-models`
(tests/benchmarks/RESULTS.md, shuffled targets by rows a feature). A row of 0 or 1 tells less than a count.
"""


class FewRows(NamedTuple):
    """The rows that a request asks of each owner; how many it should ask for, and for each feature."""

    asked: int
    needed: int
    each: int

    def __str__(self) -> str:
        """For people, with the remedy."""
        return (
            f"bounds.min_rows is {self.asked}; each owner fits this kind of model to its own rows, and with "
            f"fewer than {self.needed} ({self.each} for each feature and the intercept) worthless rows earn "
            f"more: ask for bounds: {{ min_rows: {self.needed} }}, or for fewer features"
        )


def rows_needed(kind: str, features: int) -> int:
    """Of each owner, for so many columns and curves and the intercept; zero where none are fitted."""
    return ROWS_PER_FEATURE.get(kind, 0) * (features + 1)


def few_rows(request: Request) -> FewRows | None:
    """What is to be told before the order; None where the rows are enough, or none are fitted."""
    kind, asked = request.model.kind, request.bounds.min_rows
    needed = rows_needed(kind, len(request.features) + len(request.curve_names))
    return None if asked >= needed else FewRows(asked, needed, ROWS_PER_FEATURE[kind])
