"""The Gram matrix of a factor against exact fractions of its rows."""

from fractions import Fraction

import numpy as np

from protocol.crypto.commitments import gram_limits
from protocol.learning.gram import gram_triangle
from protocol.learning.moments.widths import pairs
from protocol.learning.scales import ENTRY_SCALE
from protocol.learning.statistic import triangular


def test_entries_are_those_of_the_factor_exactly_rounded() -> None:
    factor = np.triu(np.random.default_rng(1).uniform(-1, 1, (4, 4)))
    exact = [[Fraction(float(one)) for one in row] for row in factor]
    for (i, j), entry in zip(pairs(4), gram_triangle(factor), strict=True):
        true = sum(row[i] * row[j] for row in exact) * 2**ENTRY_SCALE
        assert abs(entry - true) <= Fraction(501, 1000)


def test_it_is_the_gram_matrix_of_the_rows() -> None:
    rows = np.random.default_rng(2).uniform(-1, 1, (300, 4))
    rows[:, 0] = 1.0
    found = gram_triangle(triangular(rows) / np.sqrt(300))
    for (i, j), entry in zip(pairs(4), found, strict=True):
        assert abs(entry / 2**ENTRY_SCALE - rows[:, i] @ rows[:, j] / 300) < 1e-13


def test_a_difference_that_doubles_lose_is_kept() -> None:
    factor = np.array([[1.0, 1.0], [0.0, 2.0**-30]])
    first, cross, last = gram_triangle(factor)
    assert (first, cross, last - first) == (1 << 64, 1 << 64, 1 << 4)
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
