"""Requests and rows for proportional hazards: two features in [−1, 1], log hazards a − b."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.learning.glm.rows import Batches
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.tables import Table
from protocol.request import Request
from tests.support.deployment.documents import any_request

Matrix = NDArray[np.float64]
KIND = "cox_regression"
NAMES = ("a", "b", "months", "died")
SLOPES = (1.0, -1.0)
_LONGEST = 5.0
_PASSES = 8
"""Newton's steps of an optimum: each doubles the digits."""


def hazard_document(**changes: Any) -> dict[str, Any]:
    """What a request for hazards says of model, columns and start."""
    return {
        "model": {"kind": KIND, "event": "died", "l2": 0},
        "features": [{"name": name, "minimum": -1, "maximum": 1} for name in NAMES[:2]],
        "target": {"name": "months", "minimum": 0, "maximum": 100},
        "start": {"start": "zero"},
        **changes,
    }


def hazard_request(**changes: Any) -> Request:
    return any_request(**hazard_document(**changes))


def hazard_rows(count: int = 300, seed: int = 1, baseline: float = 0.5) -> Matrix:
    """Rows of a, b, months in tenths, so that some are tied, and died, count×4."""
    generator = np.random.default_rng(seed)
    features = generator.uniform(-1, 1, (count, 2))
    times = generator.exponential(1 / (baseline * np.exp(features @ SLOPES)))
    ends = generator.uniform(0.1, _LONGEST, count)
    months = np.ceil(10 * np.minimum(times, ends)) / 10
    return np.column_stack([features, months, times <= ends])


def table_of_hazards(rows: Matrix) -> Table:
    return dict(zip(NAMES, rows.T, strict=True))


def statistic_of_hazards(rows: Matrix) -> Statistic:
    builder = StatisticBuilder({**dict.fromkeys(NAMES[:3], "number"), "died": "boolean"})
    builder.add(table_of_hazards(rows))
    return builder.finish()


def batches_of_hazards(rows: Matrix, size: int = 70) -> Batches:
    columns = np.column_stack([rows[:, :2], np.ones(len(rows))])
    places = range(0, len(rows), size)
    return lambda: [(columns[at : at + size], rows[at : at + size, 2:]) for at in places]


def partial_deviance(rows: Matrix, slopes: Matrix) -> float:
    """−2·ln of Breslow's partial likelihood over m, by its definition: an event, all at risk, one by one."""
    predictor = rows[:, :-2] @ slopes
    total = 0.0
    for time, event, own in zip(rows[:, -2], rows[:, -1], predictor, strict=True):
        if event:
            total += np.log(np.exp(predictor[rows[:, -2] >= time]).sum()) - own
    return float(2 * total / len(rows))


def stratified_optimum(parts: Sequence[Matrix]) -> Matrix:
    """Newton's method on the pooled rows of all parts, each a stratum of its own."""
    slopes = np.zeros(parts[0].shape[1] - 2)
    for _ in range(_PASSES):
        score, information = stratified_score(parts, slopes)
        slopes = slopes + np.linalg.solve(information, score)
    return slopes


def stratified_score(parts: Sequence[Matrix], slopes: Matrix) -> tuple[Matrix, Matrix]:
    """The derivative of the partial likelihood's logarithm in the slopes, and its information matrix."""
    score, information = np.zeros_like(slopes), np.zeros((len(slopes), len(slopes)))
    for rows in parts:
        features, hazards = rows[:, :-2], np.exp(rows[:, :-2] @ slopes)
        for own, time in zip(features[rows[:, -1] == 1], rows[rows[:, -1] == 1, -2], strict=True):
            shares = np.where(rows[:, -2] >= time, hazards, 0.0)
            shares /= shares.sum()
            mean = shares @ features
            score += own - mean
            information += (features.T * shares) @ features - np.outer(mean, mean)
    return score, information
