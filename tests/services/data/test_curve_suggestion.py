"""Suggested curves may be asked for as they stand, and tell of the sample no more than rounded quartiles."""

import numpy as np
import pytest

from protocol.preparation.tables import Texts
from services.common.documents import load_request
from services.data.curve_suggestion import quartiles, suggest_curves
from services.data.few_rows import few_rows
from services.data.request_suggestion import Choices, suggest
from services.data.request_text import as_text
from tests.support.curved import curved_request
from tests.support.tables import HOUSES, houses, write_csv


def knots_of(found, column):
    """Of the one spline of a column."""
    features = curved_request(basis=[]).features
    [spline] = suggest_curves(features, {column: found})
    curved_request(basis=[spline])
    return [float(knot) for knot in spline["knots"]]


def test_knots_are_rounded_by_the_range_s_width():
    assert knots_of((63.21, 109.6, 151.1), "size") == [60, 110, 150]
    assert knots_of((1.234, 56.78, 345.6), "price") == [1.2, 57, 350]
    assert knots_of((-7305.0, 0.0, 7305.0), "built") == [-20, 0, 20]


def test_knots_too_near_to_each_other_or_an_end_are_left_out():
    assert knots_of((10.2, 110.0, 110.1), "size") == [110]
    assert suggest_curves(curved_request(basis=[]).features, {"size": (10.0,), "garden": (0.5,)}) == ()


def test_few_different_values_and_texts_have_no_curve():
    assert quartiles(np.array([1.0, 2, 3, np.nan] * 30)) == ()
    assert quartiles(Texts.of(["a", "b"])) == ()
    assert quartiles(np.arange(101.0)) == (25, 50, 75)


@pytest.mark.parametrize("kind", ["linear_regression", "gamma_regression"])
def test_the_text_reads_back_as_the_request_with_curves(tmp_path, kind):
    sample = write_csv(tmp_path / "houses.csv", HOUSES, np.abs(houses(200)) + 1)
    found = suggest(sample, Choices("price", "houses", kind=kind, curves=True))
    assert found.request.basis
    assert few_rows(found.request) is None
    written = tmp_path / "request.yaml"
    written.write_text(as_text(found, sample.name))
    assert load_request(written) == found.request
