"""Shares of a trainer's information matrix: together the pooled one, each alone nothing."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocol.crypto.randomness import Randomness
from protocol.inference_terms import ENTRY_BYTES, MOST_PARAMETERS, opened_entries
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


Splitting = Callable[[Sequence[int], Randomness], tuple[bytes, bytes]]
DRAWN = 4000
MOST_DEVIATION = 5.0
"""In standard deviations; of the 192 counts of fair bits one is further from its mean once in 9,000 draws."""


def deviations(shares: bytes) -> NDArray[np.float64]:
    """By how many standard deviations the ones in each of 192 bits differ from half of the entries."""
    entries = np.frombuffer(shares, dtype=np.uint8).reshape(-1, ENTRY_BYTES)
    ones = np.unpackbits(entries, axis=1).sum(axis=0, dtype=np.int64)
    return np.asarray((ones - len(entries) / 2) / np.sqrt(len(entries) / 4))


def agreements(shares: bytes, others: bytes) -> NDArray[np.float64]:
    """The same of the bits that two shares have in common."""
    pair = (np.frombuffer(one, dtype=np.uint8) for one in (shares, others))
    return deviations(np.bitwise_xor(*pair).tobytes())


@pytest.mark.parametrize("value", [0, 1, -1, ENTRY, -ENTRY, 7 << 90])
def test_either_share_alone_is_level_in_every_bit_whatever_it_hides(value: int) -> None:
    first, second = split([value] * DRAWN, chance(3))
    for share in (first, second):
        assert np.abs(deviations(share)).max() < MOST_DEVIATION
        assert np.abs(agreements(share[:-ENTRY_BYTES], share[ENTRY_BYTES:])).max() < MOST_DEVIATION


def _hiding(bits: int) -> Splitting:
    """Shares of which one is noise of so many bits alone, which hide an entry's digits and not its size."""

    def narrow(triangle: Sequence[int], chance: Randomness) -> tuple[bytes, bytes]:
        drawn = [
            int.from_bytes(chance.bytes(ENTRY_BYTES), "big") >> (8 * ENTRY_BYTES - bits) for _ in triangle
        ]
        missing = [(entry - one) % 2**192 for one, entry in zip(drawn, triangle, strict=True)]
        first, second = (
            b"".join(one.to_bytes(ENTRY_BYTES, "big") for one in share) for share in (drawn, missing)
        )
        return first, second

    return narrow


@pytest.mark.parametrize("bits", [64, 128, 160, 190])
def test_noise_of_fewer_bits_than_the_modulus_is_seen_not_to_be(bits: int) -> None:
    for share in _hiding(bits)([ENTRY] * DRAWN, chance(3)):
        assert np.abs(deviations(share)).max() > MOST_DEVIATION


def test_shares_of_the_most_parameters_fit_a_message() -> None:
    assert share_bytes(MOST_PARAMETERS) == 24 * opened_entries(MOST_PARAMETERS) < 4 * 2**20
