"""An owner's own fit of a generalized linear model, in plaintext: where its loss is expanded.

Iteratively reweighted least squares, each pass over the rows by TSQR as `statistic` does, in constant memory.
The pooled quadratics of owners' own optima have the inverse-variance combination of these as their optimum
(Huang, Huo, "A distributed one-step estimator", 2015, arXiv 1511.01443); a common expansion point such as
zero has least squares' direction and wrong probabilities.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.glm.families import Family
from protocol.learning.glm.hazards import fit_hazards
from protocol.learning.glm.measuring import measured
from protocol.learning.glm.rows import Batches, Tables, scaled_batches
from protocol.learning.row_squares import squares
from protocol.learning.statistic import Fitted, Matrix, Statistic, triangular
from protocol.links import LINKS
from protocol.request import Request

Working = Callable[[Matrix, Matrix], tuple[Matrix, Matrix]]
"""(√W, √W·z) of b targets and their predictors."""

MOST_PASSES = 40
_SETTLED = 1e-9
"""A change of all weights below this, times 1 + the largest, ends the passes."""

_LEAST_RIDGE = 1e-6
"""Of the owner's own fit alone: without any, rows that a line separates have no optimum."""


class _Pass(NamedTuple):
    """R/√m of √W·[X z/L] at `weights` (of predictors over L), the mean deviance there, and m. No repr."""

    weights: Matrix
    factor: Matrix
    deviance: float
    rows: int

    def __repr__(self) -> str:
        return f"_Pass(rows={self.rows})"


def fit(request: Request, batches: Batches) -> Fitted:
    """Both quadratics of an owner's rows, in the request's scale, (p+1)×(p+1) each.

    Passes that look for the optimum weigh by the Fisher information, of which standard errors are made.
    Raises MisuseError where there are no rows.
    """
    family = Family(request)
    start = np.array([float(weight) for weight in request.start_weights()])
    first = _pass(family, batches, start, family.newton)
    ridge = max(float(request.model.ridges[-1]), family.curve.prior / first.rows, _LEAST_RIDGE)
    best = _optimum(family, batches, first, ridge)
    information = best.factor[:-1, :-1] if request.inference else None
    if family.curve.newton_weight is not None:
        best = _pass(family, batches, best.weights, family.weighted)
    measuring = _measuring(family, batches, first, best)
    return Fitted(training=best.factor, measuring=measuring, information=information)


def with_fit(request: Request, statistic: Statistic, tables: Tables) -> Statistic:
    """The statistic with the fit of its rows, which `tables` gives again for each pass.

    Of kinds that square Xθ − y one pass, for the functions of a basis, which the statistic does not have.
    Raises MisuseError where they are not the rows of which the statistic was made.
    """
    return replace(
        statistic, fitted=_quadratics(request)(request, scaled_batches(request, statistic, tables))
    )


def _quadratics(request: Request) -> Callable[[Request, Batches], Fitted]:
    if request.model.events:
        return fit_hazards
    return fit if request.model.kind in LINKS else squares


def _optimum(family: Family, batches: Batches, first: _Pass, ridge: float) -> _Pass:
    """The pass at the least of deviance/2 + λ/2·‖θ‖²; a step that makes it worse is halved."""
    best, candidate = first, _newton(first, ridge)
    for _ in range(MOST_PASSES):
        if np.abs(candidate - best.weights).max() <= _SETTLED * (1 + np.abs(best.weights).max()):
            break
        tried = _pass(family, batches, candidate, family.newton)
        if _objective(family, tried, ridge) > _objective(family, best, ridge):
            candidate = (candidate + best.weights) / 2
        else:
            best, candidate = tried, _newton(tried, ridge)
    return best


def _objective(family: Family, one: _Pass, ridge: float) -> float:
    return one.deviance / family.reach**2 + ridge * float(one.weights @ one.weights)


def _newton(one: _Pass, ridge: float) -> Matrix:
    """The least of ‖R(θ, −1)‖² + λ‖θ‖²."""
    size = len(one.weights)
    stacked = np.vstack([one.factor[:, :-1], np.sqrt(ridge) * np.eye(size)])
    solution, *_ = np.linalg.lstsq(stacked, np.append(one.factor[:, -1], np.zeros(size)), rcond=None)
    return np.asarray(solution, dtype=np.float64)


def _pass(family: Family, batches: Batches, weights: Matrix, working: Working) -> _Pass:
    size = len(weights) + 1
    factor, rows, deviance = np.zeros((size, size)), 0, 0.0
    for columns, truth in batches():
        predictor = columns @ weights * family.reach
        root, response = working(truth, predictor)
        block = np.column_stack([columns * root[:, None], response / family.reach])
        factor = triangular(np.vstack([factor, block]))
        deviance += family.deviance(truth, predictor)
        rows += len(truth)
    if not rows:
        raise MisuseError("the data set has no rows; at least one is needed")
    return _Pass(weights, factor / np.sqrt(rows), deviance / rows, rows)


def _measuring(family: Family, batches: Batches, first: _Pass, best: _Pass) -> Matrix:
    """Exact at the public start and at θ*, the least of the weighted squares at the owner's optimum."""
    deviance = _deviance(family, batches, _newton(best, ridge=0.0))
    return measured(best.factor, first.weights, (first.deviance, deviance), family.reach)


def _deviance(family: Family, batches: Batches, weights: Matrix) -> float:
    """The mean over all rows."""
    total, rows = 0.0, 0
    for columns, truth in batches():
        total += family.deviance(truth, columns @ weights * family.reach)
        rows += len(truth)
    return max(total / rows, 0.0)  # of means that meet every target, rounding may leave less
