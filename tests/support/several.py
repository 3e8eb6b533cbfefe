"""Requests and rows of several targets, and of several classes, between two features."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.tables import Table, Texts, ValueKind
from protocol.request import Request
from tests.support.deployment.documents import any_request

Matrix = NDArray[np.float64]

LEVELS = ("Rossi", "Bianchi", "Verdi")
SHARES = ("0.3", "0.3", "0.4")
FEATURES = [{"name": f"x{i}", "minimum": -10, "maximum": 10} for i in range(2)]

TARGETS: dict[str, Any] = {
    "model": {"kind": "several_targets", "l2": "0.001"},
    "features": FEATURES,
    "targets": [
        {"name": "rent", "minimum": -100, "maximum": 100},
        {"name": "price", "minimum": 0, "maximum": 5000},
    ],
    "start": {"start": "means", "values": ["12", "2400"]},
}
"""What a request for two targets says of model, columns and start."""

CLASSES: dict[str, Any] = {
    "model": {"kind": "several_classes", "l2": "0.001"},
    "features": FEATURES,
    "target": {"name": "grower", "kind": "categorical", "levels": list(LEVELS)},
    "start": {"start": "means", "values": list(SHARES)},
}
"""And for three classes."""

KINDS_READ: dict[str, ValueKind] = {
    "x0": "number",
    "x1": "number",
    "rent": "number",
    "price": "number",
    "grower": "text",
}


def document_of(content: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Without the one target that other requests have."""
    return {**({"target": None} if "targets" in content else {}), **content, **changes}


def several_request(content: dict[str, Any], **changes: Any) -> Request:
    return any_request(**document_of(content, **changes))


def some_table(seed: int = 1, count: int = 60) -> Table:
    """Two features, two numbers that follow them with noise, and which of three classes a row is of."""
    generator = np.random.default_rng(seed)
    features = generator.uniform(-9, 9, (count, 2))
    noise = generator.normal(0, 1, (count, 5))
    drawn = features @ np.array([[1.0, -1.0, 0.2], [0.5, 0.3, -1.0]]) + 3 * noise[:, 2:]
    return {
        "x0": features[:, 0],
        "x1": features[:, 1],
        "rent": np.clip(features @ [6.0, -4.0] + 12 + 10 * noise[:, 0], -100, 100),
        "price": np.clip(features @ [90.0, 140.0] + 2400 + 400 * noise[:, 1], 0, 5000),
        "grower": Texts(drawn.argmax(axis=1), LEVELS),
    }


def truth_of(table: Table, content: dict[str, Any]) -> Matrix:
    """m×K: the two numbers, or indicators of the classes."""
    if "targets" in content:
        return np.column_stack([np.asarray(table[one["name"]]) for one in content["targets"]])
    grower = table["grower"]
    assert isinstance(grower, Texts)
    return np.asarray(np.eye(len(LEVELS))[grower.codes])


def statistic_of(table: Table) -> Statistic:
    builder = StatisticBuilder(KINDS_READ)
    builder.add(table)
    return builder.finish()
