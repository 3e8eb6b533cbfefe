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
    """round(RᵀR·2^h) + ⌈d/2⌉·I for i ≤ j, row by row, from R/√m (d×d, d = p + 1).

    Of several targets only at `places`, since what lies elsewhere is zero or equal to one that is there.
    Multiplied and added as integers: in doubles a sum of squares loses what tells two models apart. Rounding
    changes each entry by at most ½, and so θ̃ᵀĜθ̃ by at most d/2·|θ̃|². What is added to the diagonal makes up
    for that: no integer θ̃, however large, has a negative error. Were it not so, a trainer whose weights are
    too large, along what columns that add up to one another do not see, would make an honest matrix look like
    one that is no sum of squares (`rounds.negative_errors`).
    """
    integers = encode_matrix(factor, _FACTOR_SCALE)
    columns = list(zip(*integers, strict=True))
    excess = 2 * _FACTOR_SCALE - ENTRY_SCALE
    half = 1 << (excess - 1)
    lift = (len(columns) + 1) // 2
    return [
        ((sum(a * b for a, b in zip(columns[i], columns[j], strict=True)) + half) >> excess) + lift * (i == j)
        for (i, j), *_equal in places(len(columns) - 1, targets)
    ]
