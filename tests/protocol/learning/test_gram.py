"""The Gram matrix of a factor against exact fractions of its rows."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.commitments import gram_limits
from protocol.learning.gram import gram_triangle
from protocol.learning.moments.widths import pairs
from protocol.learning.scales import ENTRY_SCALE
from protocol.learning.statistic import triangular


def test_entries_are_those_of_the_factor_exactly_rounded_and_two_more_on_the_diagonal() -> None:
    factor = np.triu(np.random.default_rng(1).uniform(-1, 1, (4, 4)))
    exact = [[Fraction(float(one)) for one in row] for row in factor]
    for (i, j), entry in zip(pairs(4), gram_triangle(factor), strict=True):
        true = sum(row[i] * row[j] for row in exact) * 2**ENTRY_SCALE
        assert abs(entry - 2 * (i == j) - true) <= Fraction(501, 1000)


@given(seed=st.integers(0, 1 << 32), rows=st.integers(1, 4), size=st.integers(1, 200))
def test_no_integer_vector_has_a_negative_square(seed: int, rows: int, size: int) -> None:
    """However few rows there are, and along what they do not see: a column here is the sum of two others."""
    generator = np.random.default_rng(seed)
    table = generator.uniform(-1, 1, (rows, 4)) / 2
    table[:, 2] = table[:, 0] + table[:, 1]
    gram = dict(zip(pairs(4), gram_triangle(triangular(table) / np.sqrt(rows)), strict=True))
    chance = [int(one) for one in generator.integers(-3, 4, 4)]
    for vector in (
        [1, 1, -1, 0],
        [(1 << size) * one + part for one, part in zip([1, 1, -1, 0], chance, strict=True)],
    ):
        assert sum((1 + (i < j)) * gram[i, j] * vector[i] * vector[j] for i, j in pairs(4)) >= 0


def test_it_is_the_gram_matrix_of_the_rows() -> None:
    rows = np.random.default_rng(2).uniform(-1, 1, (300, 4))
    rows[:, 0] = 1.0
    found = gram_triangle(triangular(rows) / np.sqrt(300))
    for (i, j), entry in zip(pairs(4), found, strict=True):
        assert abs(entry / 2**ENTRY_SCALE - rows[:, i] @ rows[:, j] / 300) < 1e-13


def test_a_difference_that_doubles_lose_is_kept() -> None:
    factor = np.array([[1.0, 1.0], [0.0, 2.0**-30]])
    first, cross, last = gram_triangle(factor)
    assert (first, cross, last - first) == ((1 << 64) + 1, 1 << 64, 1 << 4)
    assert factor[:, 1] @ factor[:, 1] - 1.0 == 0.0


def test_a_column_of_ones_may_be_committed_to() -> None:
    """Its entry is 1 up to the rounding of the factor, to either side."""
    above = 0
    for count in range(2, 60):
        rows = np.column_stack([np.ones(count), np.random.default_rng(count).uniform(-1, 1, (count, 2))])
        found = gram_triangle(triangular(rows) / np.sqrt(count))
        above += found[0] > 1 << ENTRY_SCALE
        limits = gram_limits(2, ENTRY_SCALE)
        assert all(abs(entry) <= limit for entry, limit in zip(found, limits, strict=True))
    assert above
