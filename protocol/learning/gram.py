"""A validator's Gram matrix in integers: what its errors are computed with, however many rows it has.

The mean squared residual of a model θ on rows with the factor R (`statistic`) is θ̃ᵀGθ̃ with θ̃ = (θ, −1) and
G = RᵀR. How many rows there are comes in as a validator's weight.
"""

import numpy as np
from numpy.typing import NDArray

from protocol.crypto.fixed_point import encode_matrix
from protocol.learning.moments.widths import places
from protocol.learning.scales import ENTRY_SCALE

Matrix = NDArray[np.float64]

_FACTOR_SCALE = 100
"""Finer than any double of a factor whose columns lie in [−1, 1] needs."""


def gram_triangle(factor: Matrix, targets: int = 1) -> list[int]:
    """round(RᵀR·2^h) for i ≤ j, row by row, from R/√m ((p+1)×(p+1)); of several targets at `places`.

    Multiplied and added as integers: in doubles a sum of squares loses what tells two models apart.
    """
    integers = encode_matrix(factor, _FACTOR_SCALE)
    columns = list(zip(*integers, strict=True))
    excess = 2 * _FACTOR_SCALE - ENTRY_SCALE
    half = 1 << (excess - 1)
    return [
        (sum(a * b for a, b in zip(columns[i], columns[j], strict=True)) + half) >> excess
        for (i, j), *_equal in places(len(columns) - 1, targets)
    ]
