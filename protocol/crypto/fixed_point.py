"""Real numbers as integers, x ↦ round(x·2^scale): one scale for a vector, carried in clear beside it."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from protocol.errors import MisuseError


def encode_number(value: float, scale: int) -> int:
    """round(value·2^scale), ties to even, exact for every float; raises MisuseError for nan or inf."""
    if not math.isfinite(value):
        raise MisuseError(f"{value} cannot be encoded; clean the data: every value must be a finite number")
    numerator, denominator = value.as_integer_ratio()
    if scale >= 0:
        numerator <<= scale
    else:
        denominator <<= -scale
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient & 1 == 1))


def encode(values: Iterable[float] | NDArray[np.float64], scale: int) -> list[int]:
    """A vector of any length at one scale."""
    return [encode_number(float(value), scale) for value in values]


def encode_matrix(matrix: NDArray[np.float64], scale: int) -> list[list[int]]:
    """A matrix as its rows."""
    return [encode(row, scale) for row in np.atleast_2d(matrix)]


def decode(integers: Sequence[int], scale: int) -> NDArray[np.float64]:
    """The nearest floats to integer·2^−scale."""
    return np.array([int(integer) / (1 << scale) for integer in integers], dtype=np.float64)
