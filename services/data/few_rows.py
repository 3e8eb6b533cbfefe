"""Whether a request lets owners take part with so few rows that worthless ones earn."""

from collections.abc import Mapping
from typing import NamedTuple

from protocol.links import FITTED
from protocol.request import Request

ROWS_PER_FEATURE: Mapping[str, int] = {
    "linear_regression": 5,
    "binary_classification": 10,
    "several_targets": 5,
    "several_classes": 10,
    "logistic_regression": 20,
    "poisson_regression": 10,
    "gamma_regression": 10,
    "negative_binomial_regression": 10,
    "cox_regression": 10,
}
"""Of an owner: with fewer its local model follows its noise, and so do the errors that pay is measured by.

By kind, as many as keep shuffled targets below a twentieth of the pot on average, by `make bench-models`
(tests/benchmarks/RESULTS.md, shuffled targets by rows a feature). A row of 0 or 1 tells less than a number.
Several targets, or classes, would make do with fewer there, since what is noise of one is none of another;
but targets may be all but alike, and all classes but two rare: so they have the numbers of one target.
"""


class FewRows(NamedTuple):
    """The rows that a request asks of each owner; how many it should ask for, and for each feature."""

    asked: int
    needed: int
    each: int

    def __str__(self) -> str:
        """For people, with the remedy."""
        return (
            f"bounds.min_rows is {self.asked}; with fewer than {self.needed} rows of each owner ({self.each} "
            "for each feature and the intercept) this kind of model follows their noise, and worthless rows "
            f"earn more: ask for bounds: {{ min_rows: {self.needed} }}, or for fewer features"
        )


def rows_needed(kind: str, features: int, curves: int = 0) -> int:
    """Of each owner, for so many columns and the intercept.

    A kind that fits each owner's rows follows their noise with curves as with columns; the steps of least
    squares, which start from the same model for all, go far along columns alone (same figures).
    """
    return ROWS_PER_FEATURE[kind] * (features + (curves if kind in FITTED else 0) + 1)


def few_rows(request: Request) -> FewRows | None:
    """What is to be told before the order; None where the rows are enough."""
    kind, asked = request.model.kind, request.bounds.min_rows
    needed = rows_needed(kind, len(request.features), len(request.curve_names))
    return None if asked >= needed else FewRows(asked, needed, ROWS_PER_FEATURE[kind])
