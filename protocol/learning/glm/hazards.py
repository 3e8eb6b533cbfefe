"""An owner's own fit of proportional hazards, in plaintext: where its partial likelihood is expanded.

Sorting needs all rows at once: they are kept in memory up to `MOST_ROWS`. The intercept, which no partial
likelihood depends on, has no curvature and stays at zero.
"""

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.glm.measuring import measured
from protocol.learning.glm.partial_likelihood import Expansion, Risks, expansion
from protocol.learning.glm.rows import Batches
from protocol.learning.statistic import Fitted, Matrix
from protocol.links import HAZARD_REACH, LARGEST_LOG_HAZARD, MOST_HAZARD_ROWS
from protocol.request import Request

_MOST_PASSES = 60
_SETTLED = 1e-9
"""A change of all weights below this, times 1 + the largest, ends the passes."""

_PRIOR = 0.05
"""λ·m: log hazards between scaled columns are normal around zero with deviation √20, before any row is seen.

Without it the optimum of rows that a column puts in the order of their times is at no finite length.
"""

_Rows = tuple[Matrix, Matrix, Matrix]


def fit_hazards(request: Request, batches: Batches) -> Fitted:
    """Both quadratics of an owner's rows, in the request's scale, (p+1)×(p+1) each.

    `batches` gives times and events, b×2, in the place of the target. Raises MisuseError for more than
    `MOST_HAZARD_ROWS` rows, where there are none, and where none has an event.
    """
    risks = Risks.of(*_all_rows(batches))
    if not risks.events.any():
        raise MisuseError(f"no row has an event: column {request.model.event!r} is 0 in all; one is needed")
    ridge = max(float(request.model.ridges[-1]), _PRIOR / len(risks.events))
    slopes = _within_reach(risks, _optimum(risks, ridge))
    best, first = expansion(risks, slopes), expansion(risks, np.zeros_like(slopes))
    training = _factor(best, slopes)
    start = np.zeros(len(slopes))
    return Fitted(training, measured(training, start, (first.deviance, best.deviance), HAZARD_REACH))


def _all_rows(batches: Batches) -> _Rows:
    columns, targets, count = [], [], 0
    for features, target in batches():
        count += len(target)
        if count > MOST_HAZARD_ROWS:
            raise MisuseError(
                f"proportional hazards are fitted to {MOST_HAZARD_ROWS} rows at most, which are sorted in "
                "memory: add a part of them as a data set"
            )
        columns.append(features)
        targets.append(target)
    if not count:
        raise MisuseError("the data set has no rows; at least one is needed")
    times, events = np.vstack(targets).T
    return np.vstack(columns), times, events


def _optimum(risks: Risks, ridge: float) -> Matrix:
    """The least of deviance + λ·‖slopes‖²; a step that makes it worse is halved."""
    best = np.zeros(risks.columns.shape[1])
    here = expansion(risks, best)
    candidate = best + _step(here, best, ridge)
    for _ in range(_MOST_PASSES):
        if np.abs(candidate - best).max() <= _SETTLED * (1 + np.abs(best).max()):
            break
        tried = expansion(risks, candidate)
        if _objective(tried, candidate, ridge) > _objective(here, best, ridge):
            candidate = (candidate + best) / 2
        else:
            best, here = candidate, tried
            candidate = best + _step(here, best, ridge)
    return best


def _objective(found: Expansion, slopes: Matrix, ridge: float) -> float:
    return found.deviance + ridge * float(slopes @ slopes)


def _step(found: Expansion, slopes: Matrix, ridge: float) -> Matrix:
    curvature = found.curvature + ridge * np.eye(len(slopes))
    return np.asarray(-np.linalg.solve(curvature, found.gradient / 2 + ridge * slopes))


def _within_reach(risks: Risks, slopes: Matrix) -> Matrix:
    """Shortened where a row's log hazard would be beyond the bound that widths are made of."""
    farthest = float(np.abs(risks.columns @ slopes).max())
    return slopes * min(1.0, LARGEST_LOG_HAZARD / farthest) if farthest > 0 else slopes


def _factor(best: Expansion, slopes: Matrix) -> Matrix:
    """R with ‖R(θ, −1)‖² = (θL − slopes)ᵀH(θL − slopes)/L², out of H's eigenvalues, none below zero."""
    values, vectors = np.linalg.eigh(best.curvature)
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    factor = np.zeros((len(slopes) + 1, len(slopes) + 1))
    factor[:-1, :-1], factor[:-1, -1] = root, root @ slopes / HAZARD_REACH
    return factor
