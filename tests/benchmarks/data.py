"""The thesis' data, its split, and training in plain numpy, row by row: what both ways are checked by."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from tests.support.thesis.thesis_way import Rows

Matrix = NDArray[np.float64]
SEED = 39
STEP_SIZE = 1.5
STEPS = 100


class Split(NamedTuple):
    """Five owners' rows by the part they play."""

    trainers: list[Rows]
    validators: list[Rows]


class Diabetes(NamedTuple):
    """442 rows: names of the ten features, `features` 442×10 with columns of unit norm, `target`."""

    names: list[str]
    features: Matrix
    target: Matrix


def diabetes() -> Diabetes:
    """The data set as scikit-learn ships it."""
    loaded = load_diabetes()
    return Diabetes(list(loaded.feature_names), loaded.data, loaded.target)


def thesis_split(trainers: int = 3, validators: int = 2) -> Split:
    """70 % of the rows to the trainers and 30 % to the validators (thesis, 7.2), drawn with seed 39."""
    data = diabetes()
    train, test = train_test_split(np.arange(len(data.target)), test_size=0.3, random_state=SEED)
    return Split(
        [_rows(data, part) for part in np.array_split(train, trainers)],
        [_rows(data, part) for part in np.array_split(test, validators)],
    )


def federated(split: Split, *, rounds: int, local_steps: int, start: Matrix | None = None) -> Matrix:
    """The models after every round, (rounds+1)×p, the start (zeros unless given) first."""
    models = [np.zeros(split.trainers[0].features.shape[1]) if start is None else start]
    for _ in range(rounds):
        models.append(np.mean([descend(rows, models[-1], local_steps) for rows in split.trainers], axis=0))
    return np.array(models)


def descend(rows: Rows, weights: Matrix, steps: int) -> Matrix:
    """Plain gradient descent from `weights`."""
    for _ in range(steps):
        residual = rows.features @ weights - rows.target
        weights = weights - STEP_SIZE * (rows.features.T @ residual) / len(rows.target)
    return weights


def least_squares(owners: Sequence[Rows]) -> Matrix:
    """The linear regression that someone with all these rows would fit."""
    pooled = pool(owners)
    weights, *_ = np.linalg.lstsq(pooled.features, pooled.target, rcond=None)
    return np.asarray(weights, dtype=np.float64)


def error(owners: Sequence[Rows], weights: Matrix) -> float:
    """The mean squared error over all these owners' rows."""
    pooled = pool(owners)
    return float(np.mean((pooled.features @ weights - pooled.target) ** 2))


def pool(owners: Sequence[Rows]) -> Rows:
    """All rows together."""
    return Rows(np.vstack([o.features for o in owners]), np.concatenate([o.target for o in owners]))


def _rows(data: Diabetes, chosen: NDArray[np.int64]) -> Rows:
    features = data.features[chosen]
    return Rows(np.column_stack([features, np.ones(len(chosen))]), data.target[chosen])
