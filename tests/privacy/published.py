"""What a checked training publishes, as a function of the statistics that enter it; and with its noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocol.learning.descent import safe_step
from protocol.learning.scales import NOISE_BITS

Matrix = NDArray[np.float64]
_TARGET_RANGE = 2.0


@dataclass(frozen=True)
class Schedule:
    """Rounds of so many local steps from a start of zero; the step is the largest that a request may ask."""

    rounds: int
    local_steps: int = 5
    step_size: float = 1.0


@dataclass(frozen=True)
class Course:
    """What trainings come to: `models`, …×rounds×p, one after each; `numbers`, …×k, v₀ and all q_t, c_t."""

    models: Matrix
    numbers: Matrix


def course(trained: Matrix, measured: Matrix, schedule: Schedule) -> Course:
    """The trainings of T trainers' Gram matrices (…×T×(p+1)×(p+1)), measured by the validators' mean ones."""
    matrices, offsets = _maps(trained, schedule)
    model = np.zeros(offsets[..., 0, :].shape)
    models, numbers = [], [measured[..., -1:, -1]]
    for _ in range(schedule.rounds):
        local = (matrices @ model[..., None, :, None])[..., 0] + offsets
        residuals = np.concatenate([local, -np.ones((*local.shape[:-1], 1))], axis=-1)
        products = residuals @ measured @ np.swapaxes(residuals, -1, -2)
        numbers += [np.diagonal(products, axis1=-2, axis2=-1), products.sum(axis=-1)]
        model = local.mean(axis=-2)
        models.append(model)
    return Course(np.stack(models, axis=-2), np.concatenate(numbers, axis=-1))


def noise(count: int, seed: int) -> Matrix:
    """Of so many opened numbers: three shares, uniform below (target range)²·2⁻²⁴/3 each (`noise_bound`)."""
    generator = np.random.default_rng(seed)
    return generator.uniform(0, noise_width() / 3, (3, count)).sum(axis=0)


def noise_width() -> float:
    """The width of all three shares together, of a target between −1 and 1."""
    return float(_TARGET_RANGE**2 * 2.0**-NOISE_BITS)


def noise_deviation() -> float:
    """Their standard deviation."""
    return noise_width() / 6


def _maps(grams: Matrix, schedule: Schedule) -> tuple[Matrix, Matrix]:
    """As `descent.affine_map`, of many at a time."""
    p = grams.shape[-1] - 1
    curvature = grams[..., :p, :p]
    largest = np.maximum(np.linalg.eigvalsh(curvature)[..., -1], 1e-9)
    size = np.minimum(schedule.step_size, safe_step(np.eye(1)) / largest)[..., None]
    step = np.zeros(grams.shape)
    step[..., :p, :p] = np.eye(p) - size[..., None] * curvature
    step[..., :p, p] = size * grams[..., :p, p]
    step[..., p, p] = 1
    power = np.linalg.matrix_power(step, schedule.local_steps)
    return power[..., :p, :p], power[..., :p, p]
