"""How much targets vary around the delivered model: out of the error that the chain has published of it."""

from math import exp, log

from protocol.learning.kinds.interface import PublishedErrors
from protocol.request_sections import KindName

_LEAST_SHAPE, _MOST_SHAPE = 1e-6, 1e12
_ASYMPTOTIC = 6.0
_HALVINGS = 200


def dispersion(kind: KindName, errors: PublishedErrors, per_row: float) -> float:
    """φ, in the target's own units squared where the kind has such: the variance is φ·V(μ).

    The error is of validators' rows, on which the model was not trained, so it is larger than φ by what the
    weights are off: in the mean by φ·p/n for weights that are as sure as n rows make them. `per_row` is p/n.
    So no p is taken off the degrees of freedom, which are the validators' rows.

    - linear regression: φ = σ², the mean squared error over 1 + p/n;
    - logistic, Poisson and negative binomial regression, whose α the request declares: 1. Counts that vary
      more than that have larger standard errors;
    - proportional hazards: 1, as of any partial likelihood;
    - gamma regression: 1/k for the shape k of which 2(ln k − ψ(k)), the mean deviance that one has,
      is that of the rows over 1 + p/n: the maximum likelihood estimate where means are the true ones.
    """
    if kind == "linear_regression":
        return errors.delivered / (1 + per_row)
    if kind == "gamma_regression":
        return 1 / gamma_shape(errors.delivered / (1 + per_row))
    return 1.0


def gamma_shape(deviance: float) -> float:
    """The k with 2(ln k − ψ(k)) = the deviance, which falls as k grows; by halving."""
    low, high = log(_LEAST_SHAPE), log(_MOST_SHAPE)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        shape = exp(middle)
        low, high = (middle, high) if 2 * (middle - digamma(shape)) > deviance else (low, middle)
    return exp((low + high) / 2)


def digamma(x: float) -> float:
    """ψ(x) for x above zero: its recurrence up to 6, then the asymptotic series.

    Abramowitz, Stegun, "Handbook of Mathematical Functions", 1964, 6.3.5 and 6.3.18.
    """
    below = 0.0
    while x < _ASYMPTOTIC:
        below += 1 / x
        x += 1
    square = 1 / (x * x)
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return log(x) - 0.5 / x - series - below
