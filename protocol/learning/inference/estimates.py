"""Standard errors of the bought weights, out of the pooled information matrix and what is published.

With J_t = X_tᵀW_tX_t of trainer t's m_t rows between scaled columns, J = Σ_t J_t of M rows, and φ the
dispersion, the pooled rows' own estimate has the covariance φ·J⁻¹. The delivered model is the plain mean of T
local ones, which weighs every owner alike: where owners' rows are alike (J_t/m_t ≈ J/M) it has

    Cov(θ) = (1/T²)·Σ_t φ·J_t⁻¹ ≈ φ·J⁻¹·M/n,   n = T²/Σ_t 1/m_t,

the rows that count: all M where every owner has as many, fewer where they differ. By that a model varies that
has converged. One that was ended before is still drawn to its start, and no interval shows it.

W of generalized linear models is the Fisher information at each owner's own optimum, since no owner knows the
model. With hundreds of rows an owner it hardly differs from that at the model. Of hazards J_t is the
curvature of the owner's partial likelihood, J that of the one stratified by owner; the intercept has none.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.learning.inference.dispersion import dispersion
from protocol.learning.inference.distributions import half_width, two_sided_p
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.scales import NOISE_BITS
from protocol.learning.statistic import Matrix
from protocol.links import link_of
from protocol.request import Request
from protocol.scaling import to_own_units
from protocol.types import Address, FrozenModel, Name

CONFIDENCE = 0.95
"""Of intervals, unless another is asked for."""

_ROUNDING = 2.0**-16
"""By how much a diagonal entry may be above its bound: scaled values may be 2⁻²⁰ outside [−1, 1]."""

_NOISE = 2.0**-NOISE_BITS
"""Entries are larger by less than this for each row (`sharing.blurred`)."""

_SMALLEST = 1e-12
"""Of the largest eigenvalue: below it some weights are only determined together, as of collinear columns."""

Missing = Literal["ended_early", "too_few_trainers", "silent", "implausible_sum", "singular"]
"""Why there are no standard errors."""


class CheckerWord(FrozenModel):
    """What a checker says: whose shares it `lacks`; none where it has sent a sum, which is of all."""

    checker: Address
    lacks: Annotated[tuple[Address, ...], Field(max_length=256)] = ()


class Inference(FrozenModel):
    """What the buyer keeps beside its model: a standard error for each weight, in the columns' own units.

    `names` are the features' and then the intercept's, if there is one. `degrees` are those of Student's t,
    None where statistics are normal. `rows` are the trainers' together. Where it is `missing`, `silent` are
    the checkers that were waited for in vain, and `told` is what checkers say, which nobody can check: a
    share that one of them denies may have come.
    """

    names: tuple[str, ...] = ()
    standard_errors: tuple[float, ...] = ()
    degrees: float | None = None
    dispersion: float = 1.0
    trainers: int = 0
    rows: int = 0
    missing: Missing | None = None
    silent: Annotated[tuple[Address, ...], Field(max_length=256)] = ()
    told: Annotated[tuple[CheckerWord, ...], Field(max_length=2)] = ()


class Coefficient(NamedTuple):
    """A line of the table; `statistic` is weight over standard error, t or z."""

    name: Name
    weight: float
    standard_error: float
    low: float
    high: float
    statistic: float
    p_value: float


class Validation(NamedTuple):
    """What is known of the validators' part: the published errors, and the rows behind them (Σw)²/Σ(w²/m)."""

    errors: PublishedErrors
    rows: float


def validation_rows(rows: Sequence[int], weights: Sequence[int]) -> float:
    """(Σw)²/Σ(w²/m): the rows of a plain mean that varies as this weighted one does; Σm where w is m."""
    squares = sum(weight * weight / count for weight, count in zip(weights, rows, strict=True))
    return sum(weights) ** 2 / squares


def infer(request: Request, information: Matrix, rows: Sequence[int], validation: Validation) -> Inference:
    """The standard errors of a model whose trainers have these rows; `information` is J, (estimated)².

    They are missing where J cannot be of such rows, which is some trainer's or checker's doing, and where it
    has no inverse.
    """
    trainers, total, p = len(rows), sum(rows), request.estimated
    missing = _why_missing(request, information, total)
    if missing is not None:
        return Inference(missing=missing, trainers=trainers, rows=total)
    counting = trainers**2 / sum(1 / count for count in rows)
    phi = dispersion(request.model.kind, validation.errors, p / counting)
    covariance = np.linalg.inv(information) * (phi / float(request.error_unit) * total / counting)
    own = own_units(request)[:p, :p]
    errors = np.sqrt(np.diag(own @ covariance @ own.T))
    return Inference(
        names=(*request.weight_names, *([_INTERCEPT] if p > len(request.weight_names) else [])),
        standard_errors=tuple(map(float, errors)),
        degrees=validation.rows if request.model.kind in _ESTIMATED else None,
        dispersion=phi,
        trainers=trainers,
        rows=total,
    )


_INTERCEPT = "intercept"

_ESTIMATED = ("linear_regression", "gamma_regression")
"""Kinds whose dispersion is not known beforehand: their statistics follow Student's t."""


def own_units(request: Request) -> Matrix:
    """The linear part of `scaling.to_own_units`, p×p: what becomes of deviations of scaled weights."""
    scalings, p = request.scalings(), request.parameters
    origin = np.array(to_own_units([0.0] * p, scalings))
    return np.column_stack([np.array(to_own_units(list(unit), scalings)) - origin for unit in np.eye(p)])


def _why_missing(request: Request, information: Matrix, rows: int) -> Missing | None:
    if not _is_plausible(request, information, rows):
        return "implausible_sum"
    values = np.linalg.eigvalsh(information)
    # The trainers' noise moves no eigenvalue by more than p times its width.
    smallest = max(_SMALLEST * values[-1], request.estimated * rows * _NOISE)
    if values[0] < -smallest:
        return "implausible_sum"
    return "singular" if values[0] <= smallest else None


def _is_plausible(request: Request, information: Matrix, rows: int) -> bool:
    """Whether it can be of so many rows with columns in [−1, 1]; with a share missing it is far beyond."""
    link = link_of(request.model.kind, request.model.dispersion)
    largest = 1.0 if link is None else float(link.largest_weight(request.outputs[0]))
    diagonal, most = np.diag(information), rows * (largest * (1 + _ROUNDING) + _NOISE)
    return bool((diagonal >= 0).all() and (diagonal <= most).all())


def coefficients(
    model: BoughtModel, inference: Inference, confidence: float = CONFIDENCE
) -> tuple[Coefficient, ...]:
    """The table; raises MisuseError for another model's standard errors, or a confidence not in 0 … 1."""
    weights = model.weights
    if model.intercept is not None and model.event is None:
        weights = (*weights, model.intercept)
    if len(weights) != len(inference.standard_errors):
        raise MisuseError(f"{len(inference.standard_errors)} standard errors and {len(weights)} weights")
    reach = half_width(confidence, inference.degrees)
    return tuple(
        _coefficient(name, weight, error, reach, inference.degrees)
        for name, weight, error in zip(inference.names, weights, inference.standard_errors, strict=True)
    )


def _coefficient(name: str, weight: float, error: float, reach: float, degrees: float | None) -> Coefficient:
    statistic = weight / error if error > 0 else float("inf") * (1 if weight > 0 else -1)
    low, high = weight - reach * error, weight + reach * error
    return Coefficient(name, weight, error, low, high, statistic, two_sided_p(statistic, degrees))
