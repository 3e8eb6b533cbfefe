"""The Gram matrix of a factor against exact fractions of its rows."""

from fractions import Fraction

import numpy as np

from protocol.learning.gram import gram_triangle
from protocol.learning.moments.widths import pairs
from protocol.learning.scales import ENTRY_SCALE
from protocol.learning.statistic import triangular


def test_entries_are_those_of_the_factor_exactly_rounded() -> None:
    factor = np.triu(np.random.default_rng(1).uniform(-1, 1, (4, 4)))
    exact = [[Fraction(float(one)) for one in row] for row in factor]
    for (i, j), entry in zip(pairs(4), gram_triangle(factor, 7), strict=True):
        true = 7 * sum(row[i] * row[j] for row in exact) * 2**ENTRY_SCALE
        assert abs(entry - true) <= Fraction(501, 1000)


def test_it_is_the_gram_matrix_of_the_rows_within_the_bound_that_is_committed_to() -> None:
    rows = np.random.default_rng(2).uniform(-1, 1, (300, 4))
    rows[:, 0] = 1.0
    found = gram_triangle(triangular(rows) / np.sqrt(300), 300)
    for (i, j), entry in zip(pairs(4), found, strict=True):
        assert abs(entry / 2**ENTRY_SCALE - rows[:, i] @ rows[:, j]) < 1e-10
        assert abs(entry) <= 300 * 2**ENTRY_SCALE * (1 + 1e-13)


def test_a_difference_that_doubles_lose_is_kept() -> None:
    factor = np.array([[1.0, 1.0], [0.0, 2.0**-30]])
    first, cross, last = gram_triangle(factor, 1)
    assert (first, cross, last - first) == (1 << 64, 1 << 64, 1 << 4)
    assert factor[:, 1] @ factor[:, 1] - 1.0 == 0.0
