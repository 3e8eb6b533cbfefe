"""Shares of a trainer's information matrix: together the pooled one, each alone nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocol.crypto.randomness import Randomness
from protocol.inference_terms import MOST_PARAMETERS, opened_entries
from protocol.learning.inference.sharing import (
    added,
    blurred,
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
        split(blurred(triangle_of(rows), len(rows), chance(seed)), chance(seed + 100))
        for seed, rows in enumerate(owners)
    ]
    first, second = shares[0]
    for one, other in shares[1:]:
        first, second = added(first, one), added(second, other)
    pooled = np.vstack(owners)
    noise = opened(first, second, 4) - pooled.T @ pooled
    assert noise.min() > -1e-9
    assert len(pooled) * 2.0**-27 < noise.max() < len(pooled) * 2.0**-24


def triangle_of(rows: NDArray[np.float64]) -> tuple[int, ...]:
    return information_triangle(triangular(rows) / np.sqrt(len(rows)), len(rows))


def test_matrices_that_differ_by_less_than_the_noise_look_alike() -> None:
    """Over many draws entries of either lie level between the two ends, so one hardly tells which it is."""
    rows, near = 50, 1 << 34
    width = rows << 40
    for exact in (7 << 90, (7 << 90) + near):
        drawn = [entry - (7 << 90) for entry in blurred([exact] * 4000, rows, chance(9))]
        assert 0 <= min(drawn) < width // 500
        assert width * 499 // 500 < max(drawn) < width + near
        assert sum(drawn) / len(drawn) == pytest.approx(width / 2, rel=0.03)
        assert len({one % 1024 for one in drawn}) > 900  # the digits below are level as well


def test_a_share_is_the_same_whatever_it_hides_and_the_other_one_too() -> None:
    """One is drawn before the matrix is looked at; the other is uniform because that one is."""
    small, large = (split([value] * 3, chance(1)) for value in (0, ENTRY))
    assert small[0] == large[0]
    matching = split([(int.from_bytes(small[0][:24], "big"))], chance(1))
    assert matching[1] == b"\0" * 24  # each value of the second share belongs to one matrix for each first


def test_shares_of_the_most_parameters_fit_a_message() -> None:
    assert share_bytes(MOST_PARAMETERS) == 24 * opened_entries(MOST_PARAMETERS) < 4 * 2**20
