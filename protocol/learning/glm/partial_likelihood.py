"""Cox's partial likelihood of an owner's rows, with its gradient and curvature in the weights.

Breslow's form for ties: all rows of a time are at risk for each of its events (Cox, "Regression models and
life-tables", 1972; Breslow, "Covariance analysis of censored survival data", Biometrics 30, 1974). A row is
compared with rows of the same owner alone: the sum over owners is the likelihood that is stratified by owner,
in which each has a baseline hazard of its own.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from protocol.learning.statistic import Matrix

_FARTHEST = 600.0
"""Below the largest predictor: e to minus this is still above zero, and so is every sum of hazards."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Risks:
    """Rows from the last time to the first: scaled columns X (m×p), events (m, 0 or 1), ends of their times.

    `last` has for each row the place of the last row with its time or a later one: all up to it are at risk.
    Private: no repr.
    """

    columns: Matrix = field(repr=False)
    events: Matrix = field(repr=False)
    last: NDArray[np.int64] = field(repr=False)

    @classmethod
    def of(cls, columns: Matrix, times: Matrix, events: Matrix) -> Self:
        """The rows in any order; m of each."""
        order = np.argsort(-times, kind="stable")
        falling = -times[order]
        return cls(columns[order], events[order], np.searchsorted(falling, falling, side="right") - 1)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Expansion:
    """−2·ln of the partial likelihood over m, its gradient (p) and half its second derivative (p×p).

    As private as the rows: no repr.
    """

    deviance: float
    gradient: Matrix = field(repr=False)
    curvature: Matrix = field(repr=False)


def expansion(risks: Risks, slopes: Matrix) -> Expansion:
    """At these weights of the predictor (p), in the scaled columns' units."""
    rows = len(risks.events)
    predictor = risks.columns @ slopes
    largest = predictor.max()  # what all predictors have in common cancels, and no exponential overflows
    predictor = np.maximum(predictor, largest - _FARTHEST)
    hazards = np.exp(predictor - largest)
    at_risk = np.cumsum(hazards)[risks.last]
    means = np.cumsum(hazards[:, None] * risks.columns, axis=0)[risks.last] / at_risk[:, None]
    deviance = 2.0 * float(risks.events @ (np.log(at_risk) + largest - predictor)) / rows
    shares = hazards * _events_before(risks, risks.events / at_risk)
    gradient = -2.0 * (risks.columns.T @ (risks.events - shares)) / rows
    second = (risks.columns.T * shares) @ risks.columns - (means.T * risks.events) @ means
    return Expansion(max(deviance, 0.0), gradient, second / rows)


def _events_before(risks: Risks, each: Matrix) -> Matrix:
    """For each row the sum of `each` over the events that it is at risk for: of its time and earlier ones."""
    reached = np.cumsum(each[::-1])[::-1]  # of this row and all of earlier times, which come after it
    first = np.searchsorted(risks.last, risks.last, side="left")
    return np.asarray(reached[first])
