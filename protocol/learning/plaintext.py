"""A whole training in plain numbers: the oracle that the encrypted one is measured against.

Nobody runs this on real data, since it needs everybody's factors at once. It takes the same steps on floats:
each trainer's affine map, the unweighted mean, the validators' errors, Shapley values and pay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocol.hiding import without
from protocol.learning.consensus import proximal_map
from protocol.learning.descent import affine_map
from protocol.learning.shapley import contributions

Matrix = NDArray[np.float64]


class OwnerData(NamedTuple):
    """R/√m of [X (1) y], (p+1)×(p+1), and m: see `statistic.select`. Private: no repr."""

    factor: Matrix
    rows: int

    def __repr__(self) -> str:
        return f"OwnerData(rows={self.rows})"


class Averaging(NamedTuple):
    """`models`, (rounds+1)×p, the start first; `local_models`, rounds×T×p, in the trainers' order."""

    models: Matrix
    local_models: Matrix

    def __repr__(self) -> str:
        """Show no contents."""
        return without(self, "models", "local_models")


def consensus(
    trainers: Sequence[Matrix],
    start: Matrix,
    *,
    penalty: float,
    l2: float,
    answered: Sequence[Sequence[int]],
) -> Averaging:
    """Rounds of consensus ADMM with ρ = `penalty` (`learning.consensus`), as many as `answered` has.

    Each entry of it has the places of the trainers whose models make the round's mean; `local_models` has
    rows of zeros for all others. `trainers` are R/√m factors, `start` has p weights.
    """
    maps = [proximal_map(one, penalty=penalty, l2=l2) for one in trainers]
    models, local_models = [np.asarray(start, dtype=np.float64)], []
    duals = dict[int, Matrix]()
    for present in answered:
        mean, local = models[-1], np.zeros((len(maps), len(start)))
        for t in present:
            matrix, offset = maps[t]
            local[t] = matrix @ (mean - duals.get(t, 0.0)) + offset
        models.append(np.mean([local[t] for t in present], axis=0))
        local_models.append(local)
        carries = set(duals) <= set(present)
        duals = {t: duals.get(t, 0.0) + local[t] - models[-1] for t in present} if carries else {}
    return Averaging(np.array(models), np.array(local_models))


class RoundMetrics(NamedTuple):
    """v₀ (error of the model the round began with), q and c of every trainer, in target²."""

    start: float
    own: list[float]
    cross: list[float]

    @property
    def after(self) -> float:
        """The error of the average, Σc/T²."""
        return sum(self.cross) / len(self.cross) ** 2


@dataclass(frozen=True)
class PlainTraining:
    """Everything a training would publish or deliver; lists of rounds in order, trainers in theirs."""

    averaging: Averaging
    metrics: list[RoundMetrics]
    contributions: list[list[float]]
    pay_weights: list[list[float]]

    @property
    def shares(self) -> list[float]:
        """Each trainer's part of the contribution pot; all zero when nothing was gained."""
        totals = [sum(column) for column in zip(*self.pay_weights, strict=True)]
        whole = sum(totals)
        return [total / whole if whole else 0.0 for total in totals]

    @property
    def improvement(self) -> float:
        """The relative gain of the final model over the start, clipped to [0, 1]."""
        first = self.metrics[0].start
        return min(max((first - self.metrics[-1].after) / first, 0.0), 1.0)


def federated_averaging(
    trainers: Sequence[Matrix],
    start: Matrix,
    *,
    step_size: float,
    l2: float | Sequence[float],
    local_steps: int,
    rounds: int,
) -> Averaging:
    """`rounds` unweighted means of T local models, each `local_steps` gradient steps from the last mean.

    McMahan et al., "Communication-efficient learning of deep networks from decentralized data", AISTATS 2017,
    with full batches and equal weights. `trainers` are R/√m factors, `start` has p weights; steps as of
    `affine_map`, with one λ or that of each round.
    """
    ridges = [float(l2)] * rounds if isinstance(l2, int | float) else list(l2)
    maps = {
        ridge: [affine_map(f, step_size=step_size, l2=ridge, local_steps=local_steps) for f in trainers]
        for ridge in set(ridges)
    }
    models, local_models = [np.asarray(start, dtype=np.float64)], []
    for ridge, _ in zip(ridges, range(rounds), strict=True):
        local_models.append([matrix @ models[-1] + offset for matrix, offset in maps[ridge]])
        models.append(np.mean(local_models[-1], axis=0))
    return Averaging(np.array(models), np.array(local_models))


def mean_squared_error(data: Sequence[OwnerData], weights: Matrix) -> float:
    """The mean of (Xθ − y)² over all the owners' rows together."""
    residual = _pooled(data) @ np.append(weights, -1.0)
    return float(residual @ residual)


def pooled_least_squares(data: Sequence[OwnerData]) -> Matrix:
    """The p weights of least squared error on all the owners' rows together, the shortest where many are."""
    pooled = _pooled(data)
    weights, *_ = np.linalg.lstsq(pooled[:, :-1], pooled[:, -1], rcond=None)
    return np.asarray(weights, dtype=np.float64)


def round_metrics(validators: Sequence[OwnerData], start: Matrix, local_models: Matrix) -> RoundMetrics:
    """v₀ of `start` (p weights) and q, c of T `local_models` (T×p) on the validators' rows."""
    pooled = _pooled(validators)
    residuals = local_models @ pooled[:, :-1].T - pooled[:, -1]
    products = residuals @ residuals.T
    return RoundMetrics(
        start=mean_squared_error(validators, start),
        own=[float(q) for q in np.diag(products)],
        cross=[float(c) for c in products.sum(axis=1)],
    )


def pay_weights(best: float, after: float, shapley: Sequence[float]) -> list[float]:
    """(best − after)⁺·φ_i⁺/Σφ⁺, `best` the lowest error before; see `payment.pay_weights`."""
    gain = max(best - after, 0.0)
    positive = [max(phi, 0.0) for phi in shapley]
    total = sum(positive)
    return [gain * phi / total if total else 0.0 for phi in positive]


def run(
    trainers: Sequence[OwnerData],
    validators: Sequence[OwnerData],
    start: Matrix,
    *,
    step_size: float,
    l2: float | Sequence[float],
    local_steps: int,
    rounds: int,
    penalty: float | None = None,
) -> PlainTraining:
    """A training of `rounds` rounds in which nobody drops out or has to sit out, with a `penalty` of ADMM."""
    factors = [trainer.factor for trainer in trainers]
    if penalty is None:
        averaging = federated_averaging(
            factors, start, step_size=step_size, l2=l2, local_steps=local_steps, rounds=rounds
        )
    else:
        everybody = [range(len(factors))] * rounds
        ridge = l2 if isinstance(l2, float) else l2[0]  # of a path no request with duals is valid
        averaging = consensus(factors, start, penalty=penalty, l2=ridge, answered=everybody)
    metrics = [
        round_metrics(validators, model, local_models)
        for model, local_models in zip(averaging.models[:-1], averaging.local_models, strict=True)
    ]
    shapley = [contributions(numbers.start, numbers.own, numbers.cross) for numbers in metrics]
    weights: list[list[float]] = []
    best = metrics[0].start
    for numbers, phi in zip(metrics, shapley, strict=True):
        weights.append(pay_weights(best, numbers.after, phi))
        best = min(best, numbers.after)
    return PlainTraining(averaging, metrics, shapley, weights)


def _pooled(data: Sequence[OwnerData]) -> Matrix:
    """A matrix whose Gram matrix is [X y]ᵀ[X y] over the number of rows of all owners."""
    rows = sum(owner.rows for owner in data)
    return np.vstack([owner.factor * np.sqrt(owner.rows / rows) for owner in data])
