"""Bought models to test with, and rows as data scientists have them."""

from typing import Any

import numpy as np
import pandas as pd

from protocol.bought_model import BoughtModel, Range
from protocol.preparation.columns import Column
from protocol.preparation.tables import Table, Texts
from protocol.request import Request

_DAY = 86_400_000_000
"""Microseconds."""


def model_of(columns: int, *, ranges: bool = False) -> BoughtModel:
    """A model of so many features, x0, x1 ...; each between −9 and 9."""
    return BoughtModel(
        name="m",
        features=tuple(f"x{number}" for number in range(columns)),
        target="y",
        weights=tuple((np.arange(columns) + 1) / 3),
        intercept=0.5,
        ranges=(Range(minimum=-9.0, maximum=9.0),) * columns if ranges else (),
    )


def rents() -> BoughtModel:
    """The model that the documents' examples use."""
    return BoughtModel(
        name="rents", features=("rooms", "metres"), target="rent", weights=(50.0, 10.0), intercept=200.0
    )


def bought(request: Request, seed: int) -> BoughtModel:
    """What a training of the request might have delivered."""
    return BoughtModel.of(request, np.random.default_rng(seed).normal(size=request.parameters).tolist())


def frame_of(columns: tuple[Column, ...], table: Table) -> pd.DataFrame:
    """Rows as pandas has them: timestamps, texts, and truth values as objects."""
    return pd.DataFrame({column.name: _cells(column, table[column.name]) for column in columns})


def _cells(column: Column, values: Any) -> Any:
    if isinstance(values, Texts):
        return [None if code < 0 else values.levels[code] for code in values.codes]
    if column.kind == "boolean":
        return [None if np.isnan(value) else bool(value) for value in values]
    if column.kind == "date":
        moments = np.where(np.isnan(values), np.iinfo(np.int64).min, np.nan_to_num(values) * _DAY)
        return moments.astype("int64").astype("datetime64[us]")
    return values
