"""Student's t and the normal distribution: two-sided p-values, and how wide an interval is.

The regularised incomplete beta function by its continued fraction, evaluated as Lentz does (Press, Teukolsky,
Vetterling, Flannery, "Numerical Recipes", 3rd ed. 2007, section 6.4).
"""

from math import erfc, exp, inf, lgamma, log, log1p, sqrt

from protocol.errors import MisuseError

_TINY = 1e-300
_STEPS = 10_000
_ENOUGH = 1e-15


def two_sided_p(statistic: float, degrees: float | None) -> float:
    """The probability of a value as far from zero, of t with these degrees; None is the normal one's."""
    distance = abs(statistic)
    if degrees is None:
        return erfc(distance / sqrt(2.0))
    if distance == inf:
        return 0.0
    return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + distance * distance))


def half_width(confidence: float, degrees: float | None) -> float:
    """How many standard errors an interval of this confidence, between 0 and 1, reaches to each side.

    Raises MisuseError for another confidence.
    """
    if not 0 < confidence < 1:
        raise MisuseError(f"a confidence of {confidence}; it lies between 0 and 1, as 0.95 does")
    low, high = 0.0, 1.0
    while two_sided_p(high, degrees) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > _ENOUGH * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if two_sided_p(middle, degrees) > 1 - confidence else (low, middle)
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b) for a, b above zero and x from 0 to 1."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's continued fraction; converges within some √max(a, b) steps where x is below the mean."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        before = value
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            value *= c * d
        if abs(value - before) <= _ENOUGH * abs(value):
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
