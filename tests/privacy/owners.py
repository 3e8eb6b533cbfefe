"""Owners for attacks on a whole training: real rows, dealt alike or unlike, as the statistics that enter it.

Columns are standardized over all rows, and whoever attacks is told mean and deviation of each: what is
measured is what it learns beyond the columns' means. What enters a training is between −1 and 1 as there, by
a range as wide as the farthest row asks for: so the column of ones is by far the largest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.registry import kind_of
from protocol.learning.statistic import StatisticBuilder, triangular
from services.data.samples import deal, diabetes
from tests.support.deployment.documents import any_request

Matrix = NDArray[np.float64]
VALIDATORS = 2


@dataclass(frozen=True)
class Owners:
    """Rows of every owner, [features, 1, target] standardized, and the Gram matrices that enter a training.

    `trained` is the one that each owner's map is made of, `measured` the one that a validator measures by,
    both [X 1 y]ᵀ[X 1 y]/m, or the fit's in their place for a generalized linear model, in the training's
    units. `units` are what columns are long in these, p+1, as everybody knows from the request.
    """

    rows: Sequence[Matrix]
    trained: Sequence[Matrix]
    measured: Sequence[Matrix]
    units: Matrix

    @property
    def trainers(self) -> int:
        """How many train: the last two owners validate."""
        return len(self.rows) - VALIDATORS


def alike(features: int, owners: int, seed: int = 1) -> Owners:
    """The diabetes data dealt at random."""
    return _linear(deal(_standardized(features), owners, seed))


def unlike(features: int, owners: int, seed: int = 1) -> Owners:
    """The same in the order of the body mass index: each owner's patients are heavier than the last one's."""
    rows = _standardized(features)
    return _linear(np.array_split(rows[np.argsort(rows[:, 2 % features])], owners))


def logistic(features: int, owners: int, seed: int = 1) -> Owners:
    """Whether the disease progressed more than in half of the patients, by logistic regression's own fits."""
    rows = _standardized(features)
    rows[:, -1] = rows[:, -1] > np.median(rows[:, -1])
    names = [*(f"x{i}" for i in range(features)), "y"]
    columns = [{"name": name, "minimum": -8, "maximum": 8, "decimals": 17} for name in names[:-1]]
    document: dict[str, Any] = {
        "model": {"kind": "logistic_regression", "l2": "0.001"},
        "features": [{key: one[key] for key in ("name", "minimum", "maximum")} for one in columns],
        "target": {"name": "y", "kind": "boolean"},
        "start": {"start": "mean", "value": "0.5"},
    }
    request = any_request(**document)
    kind, trained, measured = kind_of(request), [], []
    parts = deal(np.delete(rows, features, axis=1), owners, seed)
    for part in parts:
        builder = StatisticBuilder(tuple(names))
        builder.add(part)
        table = dict(zip(names, part.T, strict=True))
        fitted = with_fit(request, builder.finish(), lambda table=table: [table])  # type: ignore[misc]
        for factor, found in ((kind.training_factor, trained), (kind.measuring_factor, measured)):
            made = factor(request, fitted)
            found.append(made.T @ made)
    units = np.sqrt(np.mean([np.diag(one) for one in trained], axis=0))
    return Owners([_with_ones(part) for part in parts], trained, measured, units)


KINDS: Mapping[str, Callable[[int, int], Owners]] = {"alike": alike, "unlike": unlike, "logistic": logistic}


def _standardized(features: int) -> Matrix:
    _, rows = diabetes()
    chosen = rows[:, [*range(features), rows.shape[1] - 1]]
    scaled = (chosen - chosen.mean(axis=0)) / chosen.std(axis=0)
    return _with_ones(scaled)


def _with_ones(rows: Matrix) -> Matrix:
    return np.column_stack([rows[:, :-1], np.ones(len(rows)), rows[:, -1]])


def _linear(parts: Sequence[Matrix]) -> Owners:
    units = 1 / np.abs(np.vstack(parts)).max(axis=0)
    factors = [triangular(part * units) / np.sqrt(len(part)) for part in parts]
    grams = [factor.T @ factor for factor in factors]
    return Owners(parts, grams, grams, units)
