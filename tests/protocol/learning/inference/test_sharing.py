"""Shares of a trainer's information matrix: together the pooled one, each alone nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.randomness import Randomness
from protocol.inference_terms import MOST_PARAMETERS, opened_entries
from protocol.learning.inference.sharing import (
    added,
    information_triangle,
    opened,
    share_bytes,
    split,
)
from protocol.learning.statistic import triangular

ENTRY = 1 << 155


def chance(seed: int) -> Randomness:
    return Randomness(seed.to_bytes(32, "big"))


@given(st.lists(st.integers(-ENTRY, ENTRY), min_size=1, max_size=6), st.integers(0, 2**64))
def test_two_shares_make_what_was_split(values: list[int], seed: int) -> None:
    shares = split(values, chance(seed))
    total = added(*shares)
    size = len(total) // len(values)
    found = [int.from_bytes(total[at : at + size], "big") for at in range(0, len(total), size)]
    assert found == [value % (1 << 8 * size) for value in values]


def test_sums_of_both_checkers_are_the_pooled_information_of_all_rows() -> None:
    generator = np.random.default_rng(5)
    owners = [generator.uniform(-1, 1, (rows, 4)) for rows in (30, 50, 11, 400, 7)]
    shares = [
        split(information_triangle(triangular(rows) / np.sqrt(len(rows)), len(rows)), chance(seed))
        for seed, rows in enumerate(owners)
    ]
    first, second = shares[0]
    for one, other in shares[1:]:
        first, second = added(first, one), added(second, other)
    pooled = np.vstack(owners)
    assert opened(first, second, 4) == pytest.approx(pooled.T @ pooled, rel=1e-13, abs=1e-12)


def test_a_share_is_the_same_whatever_it_hides_and_the_other_one_too() -> None:
    """One is drawn before the matrix is looked at; the other is uniform because that one is."""
    small, large = (split([value] * 3, chance(1)) for value in (0, ENTRY))
    assert small[0] == large[0]
    matching = split([(int.from_bytes(small[0][:24], "big"))], chance(1))
    assert matching[1] == b"\0" * 24  # each value of the second share belongs to one matrix for each first


def test_shares_of_the_most_parameters_fit_a_message() -> None:
    assert share_bytes(MOST_PARAMETERS) == 24 * opened_entries(MOST_PARAMETERS) < 4 * 2**20
