"""The job that every peer is given, as a file without anything of this repository's packages: numpy alone.

Peers run in an environment of their own, where neither `protocol` nor what it needs is installed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class Owner(NamedTuple):
    """`features` m×p, a column of ones last, and `target`, m."""

    features: Matrix
    target: Matrix


class AffineMap(NamedTuple):
    """θ ← Mθ + v: `matrix` p×p and `vector` p, an owner's local steps of one round."""

    matrix: Matrix
    vector: Matrix


class Job(NamedTuple):
    """Rounds in which each trainer takes steps of gradient descent from the mean of the last round's models.

    The first round starts from zeros; the validators' rows measure, and nobody trains on them.
    """

    trainers: Sequence[Owner]
    validators: Sequence[Owner]
    rounds: int
    local_steps: int
    step_size: float

    @property
    def parameters(self) -> int:
        """p, with the intercept."""
        return self.trainers[0].features.shape[1]

    def start(self) -> Matrix:
        """The first model, p zeros."""
        return np.zeros(self.parameters)

    def local(self, trainer: int, weights: Matrix) -> Matrix:
        """This trainer's model of a round, by plain steps over its rows."""
        features, target = self.trainers[trainer]
        for _ in range(self.local_steps):
            weights = weights - self.step_size * (features.T @ (features @ weights - target)) / len(target)
        return weights

    def map_of(self, trainer: int) -> AffineMap:
        """The same as one map."""
        vector = self.local(trainer, self.start())
        columns = [self.local(trainer, unit) - vector for unit in np.eye(self.parameters)]
        return AffineMap(np.column_stack(columns), vector)

    def maps(self) -> list[AffineMap]:
        """Every trainer's."""
        return [self.map_of(one) for one in range(len(self.trainers))]

    def exact(self) -> Matrix:
        """The last round's model in plain numbers, p: what results are held against."""
        weights = self.start()
        for _ in range(self.rounds):
            weights = np.mean([self.local(one, weights) for one in range(len(self.trainers))], axis=0)
        return weights

    def error(self, weights: Matrix) -> float:
        """The mean squared error over the validators' rows."""
        residuals = [one.features @ weights - one.target for one in self.validators]
        return float(np.mean(np.concatenate(residuals) ** 2))

    def pooled(self) -> Owner:
        """All trainers' rows."""
        return Owner(
            np.vstack([one.features for one in self.trainers]),
            np.concatenate([one.target for one in self.trainers]),
        )

    def write(self, path: Path) -> None:
        """As an archive of arrays."""
        owners = [*self.trainers, *self.validators]
        arrays = {f"{name}{index}": part for index, one in enumerate(owners) for name, part in _named(one)}
        schedule = np.array([len(self.trainers), self.rounds, self.local_steps, self.step_size])
        np.savez(path, schedule=schedule, **arrays)

    @classmethod
    def read(cls, path: Path) -> "Job":
        """What `write` wrote."""
        with np.load(path) as arrays:
            trainers, rounds, local_steps, step_size = arrays["schedule"]
            count = (len(arrays.files) - 1) // 2
            owners = [Owner(arrays[f"features{index}"], arrays[f"target{index}"]) for index in range(count)]
        return cls(
            owners[: int(trainers)],
            owners[int(trainers) :],
            int(rounds),
            int(local_steps),
            float(step_size),
        )


def _named(owner: Owner) -> list[tuple[str, Matrix]]:
    return [("features", owner.features), ("target", owner.target)]
