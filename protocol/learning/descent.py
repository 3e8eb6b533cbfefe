"""Gradient descent for linear regression as an affine map of the weights.

One full-batch step with ridge λ is θ ← Aθ + b with A = I − η(XᵀX/m + λI) and b = ηXᵀy/m; N steps are again
one affine map (M, v), worked out in plaintext. On an encrypted model it costs p² products whatever N is.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocol.crypto.cipher import Ciphertext, PublicKey, ShortExponentBlinder, linear_combinations
from protocol.crypto.fixed_point import encode, encode_matrix
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError
from protocol.learning.scales import COEFFICIENT_SCALE, UPDATE_SCALE

Matrix = NDArray[np.float64]


class StepSizeDiverges(MisuseError):  # noqa: N818  the protocol's name for it
    """The step size is at or above 2/λ_max of these rows; the text, for their owner alone, has the bound."""


def gram(factor: Matrix, l2: float) -> tuple[Matrix, Matrix]:
    """(XᵀX/m + λI, Xᵀy/m) out of R/√m of [X y], (p+1)×(p+1)."""
    features, target = factor[:, :-1], factor[:, -1]
    return features.T @ features + l2 * np.eye(features.shape[1]), features.T @ target


def stable_step(factor: Matrix, l2: float) -> float:
    """2/λ_max(XᵀX/m + λI): from this step size on, gradient steps on the rows behind `factor` diverge."""
    return _stable_step(gram(factor, l2)[0])


def require_stable(step_size: float, bound: float) -> None:
    """Raises StepSizeDiverges unless the step size is below its bound."""
    if step_size >= bound:
        raise StepSizeDiverges(
            f"step size {step_size:g} diverges on these rows; it must stay below {bound:.6g}: "
            "lower schedule.step_size or scale the features"
        )


def affine_map(factor: Matrix, *, step_size: float, l2: float, local_steps: int) -> tuple[Matrix, Matrix]:
    """(M, v), p×p and p: `local_steps` gradient steps of `step_size` on the rows behind `factor`.

    Raises StepSizeDiverges when η ≥ 2/λ_max(XᵀX/m + λI).
    """
    matrix, moment = gram(factor, l2)
    require_stable(step_size, _stable_step(matrix))
    p = len(moment)
    step = np.zeros((p + 1, p + 1))
    step[:p, :p] = np.eye(p) - step_size * matrix
    step[:p, p] = step_size * moment
    step[p, p] = 1
    power = np.linalg.matrix_power(step, local_steps)
    return power[:p, :p], power[:p, p]


def local_model(
    key: PublicKey,
    matrix: Matrix,
    offset: Matrix,
    model: Sequence[Ciphertext],
    blinder: ShortExponentBlinder,
    randomness: Randomness,
) -> list[Ciphertext]:
    """Enc(Mθ + v) at scale f + g from Enc(θ) at scale f (p ciphertexts), blinded."""
    rows = encode_matrix(matrix, COEFFICIENT_SCALE)
    products = linear_combinations(key, rows, model)
    shifted = [
        key.add(product, key.lift(constant))
        for product, constant in zip(products, encode(offset, UPDATE_SCALE), strict=True)
    ]
    return blinder.blind(shifted, randomness)


def _stable_step(curvature: Matrix) -> float:
    largest = float(np.linalg.eigvalsh(curvature)[-1])
    return 2 / largest if largest > 0 else math.inf
