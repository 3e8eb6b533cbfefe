"""Splines against scikit-learn's and SciPy's, and the spans and bounds that the rest relies on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from sklearn.preprocessing import SplineTransformer

from protocol.preparation.pieces import Pieces, cubic_pieces, natural_pieces

GRID = np.linspace(-1, 1, 401)


@st.composite
def knots(draw: st.DrawFn) -> tuple[float, ...]:
    """As near as a request may have them."""
    places = draw(st.lists(st.integers(-511, 511), min_size=1, max_size=32, unique=True))
    return tuple(place / 512 for place in sorted(places))


def spanned(pieces: Pieces) -> np.ndarray:
    return np.column_stack([np.ones_like(GRID), GRID, pieces.of(GRID)])


@given(knots())
def test_b_splines_are_scikit_learn_s_but_for_the_ends(places):
    every = np.array([-1.0, *places, 1.0])[:, None]
    transformer = SplineTransformer(degree=3, knots=every, extrapolation="constant").fit(GRID[:, None])
    # Its knots beyond the ends differ, so the functions do, and what they span does not.
    wanted = transformer.transform(GRID[:, None])
    found = spanned(cubic_pieces(places))
    assert found.shape == wanted.shape
    solved, *_ = np.linalg.lstsq(found, wanted, rcond=None)
    np.testing.assert_allclose(found @ solved, wanted, atol=1e-8)


@given(knots())
def test_natural_splines_are_scipy_s_through_one_at_their_own_knot(places):
    every = np.array([-1.0, *places, 1.0])
    found = natural_pieces(places).of(GRID)
    for index in range(len(places)):
        wanted = CubicSpline(every, np.eye(len(every))[index + 1], bc_type="natural")(GRID)
        factor = found[:, index] @ wanted / (wanted @ wanted)
        np.testing.assert_allclose(found[:, index], factor * wanted, atol=1e-9)


@given(knots(), st.sampled_from([cubic_pieces, natural_pieces]))
def test_functions_stay_within_one(places, make):
    """A row that is longer would break the bounds of residuals that every slot is cut for."""
    assert np.abs(make(places).of(GRID)).max() <= 1 + 1e-12


@pytest.mark.parametrize("make", [cubic_pieces, natural_pieces])
def test_no_function_is_a_sum_of_others_a_constant_and_the_line(make):
    matrix = spanned(make((-0.6, -0.1, 0.2, 0.7)))
    assert np.linalg.matrix_rank(matrix, tol=1e-6) == matrix.shape[1]


def test_a_stacked_matrix_gives_the_same():
    pieces = natural_pieces((-0.5, 0.25))
    reached = (GRID[:, None] >= pieces.lefts[None, :]).astype(float)
    within = reached - np.column_stack([reached[:, 1:], np.zeros(len(GRID))])
    distance = GRID[:, None] - pieces.lefts
    powers = np.column_stack([within * distance**power for power in range(4)])
    np.testing.assert_allclose(powers @ pieces.stacked, pieces.of(GRID), atol=1e-12)
