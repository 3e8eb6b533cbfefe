"""Families of targets: their deviance, and what a pass of reweighted least squares makes of a row.

McCullagh, Nelder, "Generalized Linear Models", 2nd ed. 1989, chapter 2; Fisher scoring for the gamma family's
log link. Predictors t are clipped to those of the request's `links` wherever a mean is made of them.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from protocol.learning.statistic import Matrix
from protocol.links import LINKS, Link
from protocol.request import Request

_LARGEST_PREDICTOR = 700.0
"""e to this is still a double."""

_NEAREST = 1e-6
"""To zero: there tanh(t/2)/(2t) is ¼ up to a double's rounding."""

_LOGISTIC_PRIOR = 0.05
"""λ·m: log-odds between scaled columns are normal around zero with deviation √20, before any row is seen.

Without it the optimum of rows that a line separates, or nearly, is their noise at any length.
"""


class Curve(NamedTuple):
    """One family: all functions take and give b values, a row each.

    `mean` of predictors; `weight` W and `spread` of predictors and their means; `deviance` of targets and
    means. A working response is z = t + (y − μ)/(√W·spread), with spread = √V where W = (dμ/dt)²/V.
    `newton_weight` is of families whose W is a bound of the curvature and not the curvature: passes that look
    for the optimum take it, since steps of a bound are short. `prior` is λ·m of an owner's own fit.
    """

    mean: Callable[[Matrix], Matrix]
    weight: Callable[[Matrix, Matrix], Matrix]
    spread: Callable[[Matrix, Matrix], Matrix]
    deviance: Callable[[Matrix, Matrix], Matrix]
    newton_weight: Callable[[Matrix, Matrix], Matrix] | None = None
    prior: float = 0.0


def logistic(predictor: Matrix) -> Matrix:
    """1/(1 + e^−t)."""
    return np.asarray(1.0 / (1.0 + np.exp(-_bounded(predictor))))


def exponential(predictor: Matrix) -> Matrix:
    """e^t."""
    return np.asarray(np.exp(_bounded(predictor)))


def bound_weight(predictor: Matrix) -> Matrix:
    """tanh(t/2)/(2t), ¼ at zero: the quadratic of this curvature at t is nowhere below the loss.

    Jaakkola, Jordan, "Bayesian parameter estimation via variational methods", Statistics and Computing 10,
    2000. The curvature at t itself, p(1 − p), vanishes where an owner is sure: the quadratic is then
    flat where the loss is not, and models of few rows run away along it.
    """
    distance = np.maximum(np.abs(predictor), _NEAREST)
    return np.asarray(np.tanh(distance / 2) / (2 * distance))


def binomial_deviance(truth: Matrix, mean: Matrix) -> Matrix:
    """−2·ln of the probability of the class that came; infinite for one that was held impossible."""
    with np.errstate(divide="ignore"):
        return np.asarray(-2.0 * np.log(np.where(truth > 0, mean, 1.0 - mean)))


def poisson_deviance(truth: Matrix, mean: Matrix) -> Matrix:
    """2(y·ln(y/μ) − (y − μ)); the logarithm counts nothing where y is 0."""
    ratio = np.where(truth > 0, truth, mean) / mean
    return np.asarray(2.0 * (truth * np.log(ratio) - (truth - mean)))


def gamma_deviance(truth: Matrix, mean: Matrix) -> Matrix:
    """2((y − μ)/μ − ln(y/μ)), of y above zero."""
    return np.asarray(2.0 * ((truth - mean) / mean - np.log(truth / mean)))


def negative_binomial(dispersion: float) -> Curve:
    """Counts with the variance μ + αμ², α being the dispersion: W = μ/(1 + αμ).

    Hilbe, "Negative Binomial Regression", 2nd ed. 2011, chapter 8.
    """

    def deviance(truth: Matrix, mean: Matrix) -> Matrix:
        """2(y·ln(y/μ) − (y + 1/α)·ln((1 + αy)/(1 + αμ)))."""
        ratio = np.where(truth > 0, truth, mean) / mean
        surplus = np.log1p(dispersion * (truth - mean) / (1 + dispersion * mean))
        return np.asarray(2.0 * (truth * np.log(ratio) - (truth + 1 / dispersion) * surplus))

    return Curve(
        exponential,
        weight=lambda _t, mean: mean / (1 + dispersion * mean),
        spread=lambda _t, mean: np.sqrt(mean * (1 + dispersion * mean)),
        deviance=deviance,
    )


CURVES: Mapping[str, Curve] = {
    "logistic_regression": Curve(
        logistic,
        weight=lambda t, _p: bound_weight(t),
        spread=lambda t, _p: np.sqrt(bound_weight(t)),
        deviance=binomial_deviance,
        newton_weight=lambda _t, p: p * (1 - p),
        prior=_LOGISTIC_PRIOR,
    ),
    "poisson_regression": Curve(
        exponential,
        weight=lambda _t, mean: mean,
        spread=lambda _t, mean: np.sqrt(mean),
        deviance=poisson_deviance,
    ),
    "gamma_regression": Curve(
        exponential,
        weight=lambda _t, mean: np.ones_like(mean),
        spread=lambda _t, mean: mean,
        deviance=gamma_deviance,
    ),
    "negative_binomial_regression": negative_binomial(1.0),
}
"""By the name of the kind of model, as `LINKS`; see `curve_of` where there may be a dispersion."""


def curve_of(kind: str, dispersion: Decimal | float | None) -> Curve:
    """The curve of a kind that is among `LINKS`, of the dispersion that its request or model has."""
    return CURVES[kind] if dispersion is None else negative_binomial(float(dispersion))


class Family:
    """A request's family, with its bounds; predictors are in natural units, not yet divided by `reach`."""

    def __init__(self, request: Request) -> None:
        """Of a kind of model that is among `LINKS`."""
        model = request.model
        self.curve = curve_of(model.kind, model.dispersion)
        link = LINKS[model.kind].dispersed(model.dispersion)
        self.reach = float(link.reach(request.outputs[0]))
        self._low, self._high = _predictors(link, request)
        self._deviation = float(link.largest_deviation(request.outputs[0]))

    def means(self, predictor: Matrix) -> tuple[Matrix, Matrix]:
        """The clipped predictors of b rows, and their means."""
        clipped = np.clip(predictor, self._low, self._high)
        return clipped, self.curve.mean(clipped)

    def weighted(self, truth: Matrix, predictor: Matrix) -> tuple[Matrix, Matrix]:
        """(√W, √W·z) of b rows, whose squares ‖√W·(Xθ − z)‖² stand for the deviance, up to a constant."""
        clipped, mean = self.means(predictor)
        residual = (truth - mean) / self.curve.spread(clipped, mean)
        root = np.sqrt(self.curve.weight(clipped, mean))
        return root, root * clipped + np.clip(residual, -self._deviation, self._deviation)

    def newton(self, truth: Matrix, predictor: Matrix) -> tuple[Matrix, Matrix]:
        """As `weighted`, with the curvature at the predictor: what the next step to the optimum is made of.

        Its response never leaves the owner, so none is needed a bound; its W, which may, added to others' for
        standard errors, is never above that of `weighted`.
        """
        if self.curve.newton_weight is None:
            return self.weighted(truth, predictor)
        clipped, mean = self.means(predictor)
        root = np.sqrt(self.curve.newton_weight(clipped, mean))
        return root, root * clipped + (truth - mean) / root

    def deviance(self, truth: Matrix, predictor: Matrix) -> float:
        """The sum over b rows."""
        return float(self.curve.deviance(truth, self.means(predictor)[1]).sum())


def _predictors(link: Link, request: Request) -> tuple[float, float]:
    low, high = (float(link.predictor(mean)) for mean in link.means(request.outputs[0]))
    return low, high


def _bounded(predictor: Matrix) -> Matrix:
    return np.clip(predictor, -_LARGEST_PREDICTOR, _LARGEST_PREDICTOR)
