"""Families of targets: their deviance, and what a pass of reweighted least squares makes of a row.

McCullagh, Nelder, "Generalized Linear Models", 2nd ed. 1989, chapter 2; Fisher scoring for the gamma family's
log link. Predictors t are clipped to those of the request's `links` wherever a mean is made of them.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from protocol.learning.statistic import Matrix
from protocol.links import LINKS, Link
from protocol.request import Request

_LARGEST_PREDICTOR = 700.0
"""e to this is still a double."""


class Curve(NamedTuple):
    """One family: all functions take and give b values, a row each.

    `mean` of predictors; `variance` V of means; `weight` W of means; `deviance` of targets and means.
    """

    mean: Callable[[Matrix], Matrix]
    variance: Callable[[Matrix], Matrix]
    weight: Callable[[Matrix], Matrix]
    deviance: Callable[[Matrix, Matrix], Matrix]


def logistic(predictor: Matrix) -> Matrix:
    """1/(1 + e^−t)."""
    return np.asarray(1.0 / (1.0 + np.exp(-_bounded(predictor))))


def exponential(predictor: Matrix) -> Matrix:
    """e^t."""
    return np.asarray(np.exp(_bounded(predictor)))


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


CURVES: Mapping[str, Curve] = {
    "logistic_regression": Curve(logistic, lambda p: p * (1 - p), lambda p: p * (1 - p), binomial_deviance),
    "poisson_regression": Curve(exponential, lambda mean: mean, lambda mean: mean, poisson_deviance),
    "gamma_regression": Curve(exponential, lambda mean: mean**2, np.ones_like, gamma_deviance),
}
"""By the name of the kind of model, as `LINKS`."""


class Family:
    """A request's family, with its bounds; predictors are in natural units, not yet divided by `reach`."""

    def __init__(self, request: Request) -> None:
        """Of a kind of model that is among `LINKS`."""
        self.curve, link = CURVES[request.model.kind], LINKS[request.model.kind]
        self.reach = float(link.reach(request.target))
        self._low, self._high = _predictors(link, request)
        self._deviation = float(link.largest_deviation(request.target))

    def means(self, predictor: Matrix) -> tuple[Matrix, Matrix]:
        """The clipped predictors of b rows, and their means."""
        clipped = np.clip(predictor, self._low, self._high)
        return clipped, self.curve.mean(clipped)

    def weighted(self, truth: Matrix, predictor: Matrix) -> tuple[Matrix, Matrix]:
        """(√W, √W·z) of b rows, z being the working response t + (y − μ)·dt/dμ.

        √W·z = √W·t + (y − μ)/√V(μ), since W = (dμ/dt)²/V.
        """
        clipped, mean = self.means(predictor)
        root = np.sqrt(self.curve.weight(mean))
        pearson = (truth - mean) / np.sqrt(self.curve.variance(mean))
        return root, root * clipped + np.clip(pearson, -self._deviation, self._deviation)

    def deviance(self, truth: Matrix, predictor: Matrix) -> float:
        """The sum over b rows."""
        return float(self.curve.deviance(truth, self.means(predictor)[1]).sum())


def _predictors(link: Link, request: Request) -> tuple[float, float]:
    low, high = (float(link.predictor(mean)) for mean in link.means(request.target))
    return low, high


def _bounded(predictor: Matrix) -> Matrix:
    return np.clip(predictor, -_LARGEST_PREDICTOR, _LARGEST_PREDICTOR)
