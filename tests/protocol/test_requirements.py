"""Whether a data set serves a request."""

from collections.abc import Mapping

import numpy as np
import pytest

from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.requirements import mismatches
from tests.support.deployment.documents import any_request

COLUMNS = ("bmi", "income", "age", "progression")


def statistic(
    columns: tuple[str, ...] = COLUMNS,
    rows: int = 20,
    extremes: Mapping[str, tuple[float, float]] | None = None,
) -> Statistic:
    """Each column evenly from one extreme to the other, by default within every declared range."""
    ends = dict.fromkeys(columns, (20.0, 60.0)) | dict(extremes or {})
    values = {name: np.linspace(*ends[name], rows) for name in columns}
    builder = StatisticBuilder(columns)
    builder.add(np.column_stack(list(values.values())))
    return builder.finish()


def test_a_data_set_with_more_columns_in_another_order_serves() -> None:
    assert mismatches(any_request(), statistic()) == ()


def test_values_on_the_borders_serve() -> None:
    borders = {"bmi": (10.5, 80.0), "age": (0.0, 120.0), "progression": (0.0, 400.0)}
    assert mismatches(any_request(), statistic(extremes=borders)) == ()


@pytest.mark.parametrize("name", ["bmi", "age", "progression"])
def test_a_missing_column_is_named(name: str) -> None:
    columns = tuple(column for column in COLUMNS if column != name)
    assert mismatches(any_request(), statistic(columns)) == (f"no column {name!r}",)


@pytest.mark.parametrize(
    ("name", "extremes", "text"),
    [
        ("bmi", (10.4, 50.0), "column 'bmi' runs from 10.4 to 50; 10.5 to 80 asked"),
        ("age", (1.0, 121.0), "column 'age' runs from 1 to 121; 0 to 120 asked"),
        ("progression", (-1.0, 400.5), "column 'progression' runs from -1 to 400.5; 0 to 400 asked"),
    ],
)
def test_values_outside_the_declared_range_are_named(
    name: str, extremes: tuple[float, float], text: str
) -> None:
    assert mismatches(any_request(), statistic(extremes={name: extremes})) == (text,)


def test_too_few_rows_are_named() -> None:
    assert mismatches(any_request(), statistic(rows=19)) == ("19 rows; at least 20 asked",)


def test_every_reason_is_given() -> None:
    assert len(mismatches(any_request(), statistic(("bmi",), 5, {"bmi": (0.0, 1.0)}))) == 4
