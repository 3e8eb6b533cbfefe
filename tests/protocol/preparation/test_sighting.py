"""What is kept of a data set's columns as their rows pass by, in whatever batches."""

import numpy as np
import pytest

from protocol.errors import MisuseError
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.layout import Part
from protocol.preparation.tables import Texts
from protocol.preparation.values import LONGEST_LEVEL, MAXIMUM_LEVELS

NAN = np.nan


def kept(values, kind="number", cut=2, **settings):
    builder = StatisticBuilder({"a": kind}, logs=True, **settings)
    for part in (values[:cut], values[cut:]):
        builder.add({"a": Texts.of(part) if kind == "text" else np.array(part)})
    statistic = builder.finish()
    assert Statistic.from_bytes(statistic.to_bytes()).kept == statistic.kept
    size = len(statistic.parts) + 1
    assert statistic.factor.shape == (size, size)
    return statistic.kept[0]


@pytest.mark.parametrize(
    ("values", "kind", "log", "gaps"),
    [
        ([1.0, 2.0, 3.5], "numeric", True, 0),
        ([1.0, NAN, 3.5], "numeric", True, 1),
        ([1.0, 2.0, 0.0], "numeric", False, 0),
        ([1.0, 0.0, 1.0], "boolean", False, 0),
        ([NAN, 0.0, NAN], "boolean", False, 2),
    ],
)
def test_numbers(values, kind, log, gaps):
    column = kept(values)
    assert (column.kind, column.log, column.gaps, column.clipped) == (kind, log, gaps, None)
    assert (column.minimum, column.maximum) == (np.nanmin(values), np.nanmax(values))


def test_dates_have_no_logarithm():
    column = kept([8000.0, 9000.0, NAN], "date")
    assert (column.kind, column.log, column.gaps) == ("date", False, 1)


def test_values_are_brought_into_declared_bounds_and_counted():
    column = kept([-5.0, 2.0, 3.0, 11.0, 12.0], bounds={"a": (1.0, 10.0)})
    assert (column.minimum, column.maximum, column.clipped, column.log) == (1, 10, 3, True)
    within = kept([2.0, 3.0], bounds={"a": (1.0, 10.0)})
    assert (within.minimum, within.maximum, within.clipped) == (1, 10, 0), "as declared, whatever the rows"


def test_levels_in_the_order_of_the_alphabet_whenever_they_come():
    column = kept(["oil", None, "gas", "oil", None], "text")
    assert (column.kind, column.levels, column.gaps) == ("categorical", ("gas", "oil"), 2)
    assert column.parts == (Part("a", "value", "gas"), Part("a", "value", "oil"), Part("a", "gap"))


@pytest.mark.parametrize(
    "values",
    [
        [f"x{number}" for number in range(MAXIMUM_LEVELS + 1)],
        ["a", "b", "x" * (LONGEST_LEVEL + 1)],
        ["a", "b\n", "a"],
    ],
)
def test_a_column_of_too_many_or_strange_texts_has_no_parts(values):
    column = kept(values, "text")
    assert (column.kind, column.levels, column.parts) == ("text", (), ())
    assert kept([f"x{number}" for number in range(MAXIMUM_LEVELS)], "text").kind == "categorical"


@pytest.mark.parametrize(
    ("values", "kind", "text"),
    [
        ([NAN, NAN, NAN], "number", "'a' has no value in any row"),
        ([None, None, None], "text", "'a' has no value in any row"),
        ([1.0, 2.0, np.inf], "number", "'a' holds an infinite value"),
    ],
)
def test_columns_that_tell_nothing_are_refused(values, kind, text):
    with pytest.raises(MisuseError, match=text):
        kept(values, kind)


def test_the_parts_of_a_statistic_are_bounded():
    rows = [f"x{number}" for number in range(MAXIMUM_LEVELS)]
    builder = StatisticBuilder({f"c{number}": "text" for number in range(33)})
    with pytest.raises(MisuseError, match="more than 8192 columns of numbers; choose fewer"):
        builder.add({f"c{number}": Texts.of(rows) for number in range(33)})
