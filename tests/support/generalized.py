"""Requests and rows for generalized linear models: two features in [−1, 1], predictors a − b + ½."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.tables import Table
from protocol.request import Request
from tests.support.deployment.documents import any_request

Matrix = NDArray[np.float64]
NAMES = ("a", "b", "y")
WEIGHTS = (1.0, -1.0, 0.5)


@dataclass(frozen=True)
class FamilyCase:
    """A target and a start as a request has them, and targets drawn around predictors."""

    target: Mapping[str, Any]
    start: Mapping[str, Any]
    drawn: Callable[[np.random.Generator, Matrix], Matrix]
    model: Mapping[str, Any] = field(default_factory=dict)


def _dispersed(generator: np.random.Generator, predictor: Matrix) -> Matrix:
    """Poisson counts whose means vary by gamma factors of mean 1 and variance ½: negative binomial, α = ½."""
    return np.asarray(generator.poisson(np.exp(predictor) * generator.gamma(2.0, 0.5, len(predictor))), float)


CASES: Mapping[str, FamilyCase] = {
    "logistic_regression": FamilyCase(
        {"name": "y", "kind": "boolean"},
        {"start": "mean", "value": "0.4"},
        lambda generator, t: np.asarray(generator.random(len(t)) < 1 / (1 + np.exp(-t)), dtype=float),
    ),
    "poisson_regression": FamilyCase(
        {"name": "y", "minimum": 0, "maximum": 40},
        {"start": "mean", "value": "3"},
        lambda generator, t: np.asarray(generator.poisson(np.exp(t)), dtype=float),
    ),
    "gamma_regression": FamilyCase(
        {"name": "y", "minimum": "0.001", "maximum": 100},
        {"start": "mean", "value": "3"},
        lambda generator, t: np.asarray(generator.gamma(2.0, np.exp(t) / 2) + 0.001),
    ),
    "negative_binomial_regression": FamilyCase(
        {"name": "y", "minimum": 0, "maximum": 40},
        {"start": "mean", "value": "3"},
        lambda generator, t: np.minimum(_dispersed(generator, t), 40.0),
        {"dispersion": "0.5"},
    ),
}


def document_of(kind: str, **changes: Any) -> dict[str, Any]:
    """What a request for this kind says of model, columns and start."""
    case = CASES[kind]
    return {
        "model": {"kind": kind, "l2": 0, **case.model},
        "features": [{"name": name, "minimum": -1, "maximum": 1} for name in NAMES[:2]],
        "target": dict(case.target),
        "start": dict(case.start),
        **changes,
    }


def request_of(kind: str, **changes: Any) -> Request:
    return any_request(**document_of(kind, **changes))


def rows_of(kind: str, count: int = 400, seed: int = 1) -> Matrix:
    """Rows of a, b and y, count×3."""
    generator = np.random.default_rng(seed)
    features = generator.uniform(-1, 1, (count, 2))
    predictor = features @ WEIGHTS[:2] + WEIGHTS[2]
    return np.column_stack([features, CASES[kind].drawn(generator, predictor)])


def table_of(rows: Matrix) -> Table:
    return dict(zip(NAMES, rows.T, strict=True))


def statistic_of(rows: Matrix) -> Statistic:
    builder = StatisticBuilder(NAMES)
    builder.add(rows)
    return builder.finish()
