"""Columns of every kind with rows that they map, for tests of preparation."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from protocol.preparation.columns import Column
from protocol.preparation.tables import Table, Texts, Values
from protocol.request import Request
from tests.support.deployment.documents import any_request

LEVELS = ("gas", "oil", "electric", "wood", "none")


@st.composite
def numeric(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Within ranges of any size, above zero where the logarithm is asked for."""
    log = draw(st.booleans())
    low = draw(st.sampled_from([0.01, 3, 5000] if log else [-1e6, -3, 0, 0.5, 200]))
    width = max(draw(st.sampled_from([0.05, 1, 70, 1e5])), abs(low) / 100)
    missing = draw(st.sampled_from(["refuse", "indicator", {"value": low + width / 4}]))
    outside = draw(st.sampled_from(["refuse", "clip"]))
    return {
        "name": name,
        "minimum": low,
        "maximum": low + width,
        "log": log,
        "missing": missing,
        "outside": outside,
    }


@st.composite
def date(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Within a quarter of a year or two centuries."""
    low, high = draw(st.sampled_from([("2024-01-01", "2024-04-01"), ("1824-02-29", "2024-02-29")]))
    return {
        "name": name,
        "kind": "date",
        "minimum": low,
        "maximum": high,
        "unit": draw(st.sampled_from(["days", "weeks", "months", "years"])),
        "origin": draw(st.sampled_from(["1970-01-01", "2024-01-01", "0001-01-01"])),
        "missing": draw(st.sampled_from(["refuse", "indicator", {"value": low}])),
        "outside": draw(st.sampled_from(["refuse", "clip"])),
    }


@st.composite
def categorical(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """With a vocabulary of two levels and more."""
    levels = draw(st.lists(st.sampled_from(LEVELS), min_size=2, unique=True))
    return {
        "name": name,
        "kind": "categorical",
        "levels": levels,
        "reference": draw(st.sampled_from(levels)),
        "other": draw(st.sampled_from(["refuse", "level"])),
        "missing": draw(st.sampled_from(["refuse", "indicator", {"value": levels[-1]}])),
    }


@st.composite
def boolean(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Yes and no."""
    missing = draw(st.sampled_from(["refuse", "indicator", {"value": True}]))
    return {"name": name, "kind": "boolean", "missing": missing}


KINDS = (numeric, date, categorical, boolean)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Up to six features of any kinds, a target of numbers, with and without scale and intercept."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))
    intercept = draw(st.booleans())
    return any_request(
        features=[draw(kind(f"column {index}")) for index, kind in enumerate(kinds)],
        target={"name": "price", "minimum": -10, "maximum": 400},
        scale=draw(st.sampled_from(["range", "none"])),
        bounds={"weight_bits": 64, "residual_bits": 64},
        model={"intercept": intercept},
        start={"start": "zero"},
    )


def rows_for(request: Request, count: int, seed: int, *, beyond: bool = True) -> Table:
    """Random rows that a request maps, with all that it admits: gaps, other levels, values to be clipped."""
    generator = np.random.default_rng(seed)
    columns = request.columns
    return {column.name: _values(column, count, generator, beyond=beyond) for column in columns}


def _values(column: Column, count: int, generator: np.random.Generator, *, beyond: bool) -> Values:
    gaps = generator.random(count) < (0.3 if column.missing != "refuse" else 0)
    gaps[0] = False
    if column.kind == "categorical":
        levels = (*LEVELS, "peat") if column.other == "level" else column.levels
        codes = generator.integers(0, len(levels), count)
        return Texts(np.where(gaps, -1, codes), tuple(levels))
    if column.kind == "boolean":
        return np.where(gaps, np.nan, generator.integers(0, 2, count).astype(float))
    low, high = bounds_of(column)
    margin = (high - low) * 0.2 * (beyond and column.outside == "clip")
    return np.where(gaps, np.nan, generator.uniform(low - margin, high + margin, count))


def bounds_of(column: Column) -> tuple[float, float]:
    """The declared range of a column of numbers or dates, as rows have it."""
    if column.kind == "date":
        low, high = (np.datetime64(day, "D").astype(int) for day in (column.minimum, column.maximum))
        return float(low), float(high)
    return float(column.minimum), float(column.maximum)
