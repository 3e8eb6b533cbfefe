"""A request with a basis of every sort over columns of every kind, and rows that it maps."""

from typing import Any

import numpy as np

from protocol.preparation.tables import Table, Texts
from protocol.request import Request
from tests.support.deployment.documents import any_request

FEATURES: tuple[dict[str, Any], ...] = (
    {"name": "size", "minimum": 10, "maximum": 210, "missing": "indicator"},
    {"name": "price", "minimum": 1, "maximum": 1000, "log": True, "outside": "clip"},
    {"name": "built", "kind": "date", "minimum": "1900-01-01", "maximum": "2020-01-01", "unit": "years"},
    {"name": "garden", "kind": "boolean"},
    {"name": "heat", "kind": "categorical", "levels": ["gas", "oil", "wood"], "missing": "indicator"},
)
BASES: tuple[dict[str, Any], ...] = (
    {"kind": "polynomial", "column": "size", "degree": 3},
    {"kind": "spline", "column": "price", "knots": [5, 50, 300]},
    {"kind": "spline", "column": "built", "form": "cubic", "knots": [-20, 10]},
    {"kind": "interaction", "columns": ["size", "heat"]},
    {"kind": "interaction", "columns": ["garden", "built"]},
    {"kind": "fourier", "columns": ["size", "price", "built"], "number": 7, "length_scale": "0.5", "seed": 3},
)


def curved_request(**changes: Any) -> Request:
    """Of a target of numbers."""
    given = {
        "features": list(FEATURES),
        "basis": list(BASES),
        "target": {"name": "y", "minimum": -10, "maximum": 10},
        "start": {"start": "zero"},
        "scale": "range",
    }
    return any_request(**{**given, **changes})


def curved_rows(count: int, seed: int = 1) -> Table:
    """With gaps where there may be some."""
    generator = np.random.default_rng(seed)
    size = generator.uniform(10, 210, count)
    size[generator.random(count) < 0.2] = np.nan
    return {
        "size": size,
        "price": np.exp(generator.uniform(0, np.log(1000), count)),
        "built": generator.uniform(-25_567, 18_262, count),
        "garden": generator.integers(0, 2, count).astype(float),
        "heat": Texts(generator.integers(-1, 3, count), ("gas", "oil", "wood")),
        "y": generator.uniform(-10, 10, count),
    }
