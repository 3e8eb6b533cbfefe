"""Rows into the columns of a model: the numbers one expects by hand, and scikit-learn's for levels."""

import numpy as np
import pytest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from protocol.errors import UnusableValue
from protocol.preparation.design import design_matrix, outside_counts
from protocol.preparation.tables import Texts
from tests.support.deployment.documents import any_request

NAN = np.nan


def prepared(column, values):
    [feature] = any_request(features=[{"name": "a", **column}]).features
    return design_matrix([feature], {"a": values}).tolist()


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ({}, [1.0, 12.0], [[1], [12]]),
        ({"outside": "clip"}, [0.0, 4.0, 12.0], [[1], [4], [9]]),
        ({"missing": "indicator"}, [2.0, NAN], [[2, 0], [5, 1]]),
        ({"missing": {"value": 3}}, [2.0, NAN], [[2], [3]]),
        ({"log": True, "missing": {"value": 1}}, [np.e, NAN], [[1], [0]]),
        ({"log": True, "missing": "indicator"}, [1.0, NAN], [[0, 0], [np.log(3), 1]]),
    ],
)
def test_numbers(column, values, expected):
    found = prepared({"minimum": 1, "maximum": 9, **column}, np.array(values))
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ({}, [0, 60, 100]),
        ({"unit": "weeks", "origin": "2024-01-01"}, [0, 60 / 7, 100 / 7]),
        ({"unit": "years", "origin": "2023-12-31"}, [1 / 365.2425, 61 / 365.2425, 101 / 365.2425]),
        ({"outside": "clip", "origin": "2024-01-01"}, [0, 60, 91]),
    ],
)
def test_dates_count_from_their_origin_in_their_unit(column, expected):
    first = np.datetime64("2024-01-01", "D").astype(float)
    limits = {"kind": "date", "minimum": "2024-01-01", "maximum": "2024-04-01"}
    found = prepared({**limits, **column}, first + np.array([0.0, 60, 100]))
    start = first if not column else 0
    np.testing.assert_allclose(np.array(found)[:, 0], np.array(expected) + start, rtol=1e-12)


def test_levels_and_gaps_are_as_scikit_learn_s():
    texts = ["gas", "oil", None, "wood", "electric", "gas", "peat"]
    column = {"kind": "categorical", "levels": ["gas", "oil", "electric"], "other": "level"}
    found = np.array(prepared({**column, "missing": "indicator"}, Texts.of(texts)))
    known = np.array([text if text in column["levels"] else "" for text in texts])[:, None]
    encoder = OneHotEncoder(categories=[["gas", "oil", "electric"]], handle_unknown="ignore")
    np.testing.assert_array_equal(found[:, :2], encoder.fit_transform(known).toarray()[:, 1:])
    np.testing.assert_array_equal(found[:, 2], [0, 0, 0, 1, 0, 0, 1])
    np.testing.assert_array_equal(found[:, 3], [0, 0, 1, 0, 0, 0, 0])
    numbers = np.array([1.0, NAN, 3, 8, NAN])
    mean = prepared({"minimum": 0, "maximum": 8, "missing": "indicator"}, numbers)
    imputer = SimpleImputer(strategy="constant", fill_value=4).fit_transform(numbers[:, None])
    gaps = MissingIndicator().fit_transform(numbers[:, None])
    np.testing.assert_array_equal(mean, np.column_stack([imputer, gaps]))


def test_a_gap_may_count_as_a_level():
    column, texts = {"kind": "categorical", "levels": ["gas", "oil"]}, Texts.of(["gas", None, "oil"])
    assert prepared({**column, "missing": {"value": "oil"}}, texts) == [[0], [1], [1]]
    assert prepared({**column, "missing": {"value": "gas"}}, texts) == [[0], [0], [1]]


@pytest.mark.parametrize(
    ("column", "values", "row", "reason"),
    [
        ({"minimum": 0, "maximum": 9}, np.array([1, NAN]), 1, "has no value"),
        ({"minimum": 0, "maximum": 9}, np.array([1, 2, -np.inf]), 2, "has an infinite value"),
        ({"minimum": 1, "maximum": 9, "log": True}, np.array([1, 2, 0.0]), 2, "is not above zero"),
        ({"minimum": 0, "maximum": 9}, Texts.of(["a"]), 0, "is a text"),
        ({"kind": "boolean"}, np.array([0, 1, 0.5]), 2, "is neither yes nor no"),
        ({"kind": "boolean"}, np.array([NAN, 1]), 0, "has no value"),
        ({"kind": "categorical", "levels": ["x", "y"]}, Texts.of(["y", "8675309"]), 1, "than x, y"),
        ({"kind": "categorical", "levels": ["x", "y"]}, Texts.of(["y", None]), 1, "has no value"),
        ({"kind": "categorical", "levels": ["x", "y"]}, np.array([1.0]), 0, "is a number"),
    ],
)
def test_what_a_column_does_not_map_is_refused_by_row_and_column(column, values, row, reason):
    with pytest.raises(UnusableValue, match=reason) as refused:
        prepared(column, values)
    assert (refused.value.column, refused.value.row) == ("a", row)
    assert "8675309" not in str(refused.value)


def test_rows_outside_the_ranges_are_counted_by_column():
    features = [
        {"name": "a", "minimum": 0, "maximum": 9},
        {"name": "b", "minimum": 1, "maximum": 9, "outside": "clip"},
        {"name": "c", "kind": "date", "minimum": "1970-01-01", "maximum": "1970-01-11"},
        {"name": "d", "kind": "boolean"},
    ]
    columns = any_request(features=features).features
    values = np.array([0.0, 9.0, 9.5, NAN, 11.0])
    table = {"a": values, "b": values, "c": values, "d": values}
    assert outside_counts(columns, table) == {"a": 2, "b": 3, "c": 1}
