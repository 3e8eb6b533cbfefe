"""What a trainer or a validator that is bad from the start reads of the unpaid model, in bits a round.

It commits when it joins, before it knows model or role, and proves that it does what it committed to: so its
map or matrix is any that it likes, and the same in each round. It gives up its pay, and reads its published
errors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocol.learning.scales import ENTRY_SCALE, NOISE_BITS, UPDATE_SCALE
from tests.privacy.owners import Owners
from tests.privacy.published import Schedule, course, noise, noise_width

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Read:
    """What was read: `bits` of each round's weight against the weight's deviation, at the median."""

    numbers: int
    bits: float


def straw_trainer(owners: Owners, schedule: Schedule, weight: int) -> Read:
    """One weight of each round's model, out of the straw's own q: θ = (a + k·x_i)·e on the column of ones.

    There validators' mean square is 1, so q = v₀ − 2·m·u + u² for u = a + k·x_i, and the first round, in
    which x is the public start, shows the mean target m.
    """
    a, k = 1.0, 1.0
    models = course(np.array(owners.trained[: owners.trainers]), _measured(owners), schedule).models
    weights, measured = models[:, weight], _measured(owners)
    used = a + k * np.append(0.0, weights[:-1])
    mean_target, start = measured[-2, -1], measured[-1, -1]
    opened = start - 2 * mean_target * used + used**2 + _noise(len(used))
    start += _noise(1)[0]
    found_mean = (start + a**2 - opened[0]) / (2 * a)
    found = found_mean + np.sqrt(np.maximum(found_mean**2 - start + opened[1:], 0))
    return Read(1, _bits((found - a) / k, weights[:-1]))


def straw_validator(owners: Owners, schedule: Schedule, weight: int) -> Read:
    """The square of one weight of every trainer's model, out of all published q: its matrix is b·e_i·e_iᵀ.

    The other validator's error stands in each number, of which the straw knows what its start was.
    """
    honest, b = owners.measured[-2], 40.0
    straw = np.zeros(honest.shape)
    straw[weight, weight] = b
    models = course(np.array(owners.trained[: owners.trainers]), honest, schedule).models
    residuals = np.column_stack([models, -np.ones(len(models))])
    opened = np.einsum("ri,ij,rj->r", residuals, (honest + straw) / 2, residuals) + _noise(len(models))
    found = np.sqrt(np.maximum(2 * opened - 0.6 * honest[-1, -1], 0) / b)
    return Read(2 * owners.trainers, _bits(found, np.abs(models[:, weight])))


def bits_with_noise() -> int:
    """How many bits of an opened error its noise leaves, below the square of the target's range."""
    return NOISE_BITS


def bits_without_noise() -> int:
    """The same for two neighbours in the ring, who together know all three shares: every digit."""
    return 2 * UPDATE_SCALE + ENTRY_SCALE


def _measured(owners: Owners) -> Matrix:
    return np.asarray(np.mean(owners.measured[owners.trainers :], axis=0))


def _noise(count: int) -> Matrix:
    return noise(count, seed=3) - noise_width() / 2


def _bits(found: Matrix, truth: Matrix) -> float:
    """log₂ of the weight's size over the median error."""
    return float(np.log2(np.sqrt(np.mean(truth**2)) / np.median(np.abs(found - truth))))
