"""Gradient descent for linear regression as an affine map of the weights.

One full-batch step with ridge λ is θ ← Aθ + b with A = I − η(XᵀX/m + λI) and b = ηXᵀy/m; N steps are again
one affine map (M, v), worked out in plaintext.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocol.request import Request
from protocol.scaling import LARGEST_STEP

Matrix = NDArray[np.float64]

_SAFE = 1.9


def gram(factor: Matrix, l2: float) -> tuple[Matrix, Matrix]:
    """(XᵀX/m + λI, Xᵀy/m) out of R/√m of [X y], (p+1)×(p+1)."""
    features, target = factor[:, :-1], factor[:, -1]
    return features.T @ features + l2 * np.eye(features.shape[1]), features.T @ target


def safe_step(curvature: Matrix) -> float:
    """The largest step that is safe on rows of this XᵀX/m + λI: 1.9/λ_max.

    Gradient steps diverge from 2/λ_max on, and halve the error in the steepest direction again and again a
    little below. Infinite for a curvature of zero.
    """
    largest = float(np.linalg.eigvalsh(curvature)[-1])
    return _SAFE / largest if largest > 0 else math.inf


def step_size_of(request: Request) -> float:
    """The largest step that a request allows; between scaled columns the bounds of weights count on it."""
    most = math.inf if request.schedule.step_size is None else float(request.schedule.step_size)
    return most if request.scale == "none" else min(most, LARGEST_STEP)


def affine_map(factor: Matrix, *, step_size: float, l2: float, local_steps: int) -> tuple[Matrix, Matrix]:
    """(M, v), p×p and p: `local_steps` gradient steps on the rows behind `factor`.

    Each is of `step_size`, or the largest safe one (`safe_step`) where that is smaller: nobody but the rows'
    owner learns which, or requests with chosen columns would read the Gram matrix out of the answers.
    """
    matrix, offsets = affine_maps([factor], step_size=step_size, l2=l2, local_steps=local_steps)
    return matrix, offsets[0]


def affine_maps(
    factors: Sequence[Matrix], *, step_size: float, l2: float, local_steps: int
) -> tuple[Matrix, list[Matrix]]:
    """(M, one v for each): `affine_map` of several targets of the same rows, whose M is one and the same."""
    matrix, _ = gram(factors[0], l2)
    p, targets = len(matrix), len(factors)
    step_size = min(step_size, safe_step(matrix))
    if math.isinf(step_size):  # only zeros: no step changes anything
        return np.eye(p), [np.zeros(p)] * targets
    step = np.eye(p + targets)
    step[:p, :p] -= step_size * matrix
    for place, factor in enumerate(factors, start=p):
        step[:p, place] = step_size * (factor[:, :-1].T @ factor[:, -1])
    power = np.linalg.matrix_power(step, local_steps)
    return power[:p, :p], list(power[:p, p:].T)
