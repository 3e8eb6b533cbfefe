"""The stream that makes every step of a role repeatable."""

from collections import Counter

import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.randomness import SEED_BYTES, Randomness
from protocol.errors import MisuseError

SEEDS = st.binary(min_size=SEED_BYTES, max_size=SEED_BYTES)


@given(SEEDS, st.lists(st.integers(0, 9000), max_size=5))
def test_a_seed_fixes_the_stream(seed: bytes, lengths: list[int]) -> None:
    first, second = Randomness(seed), Randomness(seed)
    assert [first.bytes(n) for n in lengths] == [second.bytes(n) for n in lengths]


@given(SEEDS, SEEDS.map(lambda seed: bytes(reversed(seed))))
def test_seeds_and_children_give_different_streams(seed: bytes, other: bytes) -> None:
    streams = [Randomness(one) for one in {seed, other}]
    streams += [child for one in list(streams) for child in (one.child("mask"), one.child("noise"))]
    drawn = [stream.bytes(16) for stream in streams]
    assert len(set(drawn)) == len(drawn)


def test_a_child_does_not_depend_on_what_was_drawn_before() -> None:
    parent = Randomness(bytes(32))
    parent.bytes(5000)
    assert parent.child("mask").bytes(100) == Randomness(bytes(32)).child("mask").bytes(100)


def test_a_label_is_used_once() -> None:
    """Two masks out of one stream would cancel, and show the difference of what they hide."""
    parent = Randomness(bytes(32))
    masks = [Randomness(bytes(32)).child("mask").bits(64) for _ in range(2)]
    assert (1000 + masks[0]) - (977 + masks[1]) == 23
    parent.child("mask").child("mask")
    parent.child("other")
    with pytest.raises(MisuseError, match="'mask' was drawn before"):
        parent.child("mask")


def test_nothing_repeats_over_block_borders() -> None:
    stream = Randomness(bytes(32))
    pieces = [stream.bytes(16) for _ in range(3000)] + [stream.bytes(10_000)[-16:], stream.bytes(16)]
    assert len(set(pieces)) == len(pieces)


@given(SEEDS, st.integers(0, 600))
def test_bits_stay_below_their_power_of_two(seed: bytes, count: int) -> None:
    assert 0 <= Randomness(seed).bits(count) < 1 << count


@pytest.mark.parametrize("count", [1, 3, 8, 11, 64])
def test_every_bit_is_drawn(count: int) -> None:
    stream = Randomness(bytes(32))
    ones, zeros = 0, 0
    for _ in range(200):
        drawn = stream.bits(count)
        ones |= drawn
        zeros |= ~drawn
    assert ones == (1 << count) - 1
    assert zeros & ones == ones


@given(SEEDS, st.integers(1, 1 << 600))
def test_below_stays_below(seed: bytes, bound: int) -> None:
    assert 0 <= Randomness(seed).below(bound) < bound


def test_below_has_no_bias() -> None:
    # 5 of 8 values are kept: a modulo instead of the rejection would draw 0, 1 and 2 twice as often.
    stream = Randomness(bytes(32))
    counts = Counter(stream.below(5) for _ in range(10_000))
    chi_squared = sum((counts[value] - 2000) ** 2 / 2000 for value in range(5))
    assert chi_squared < 23.5  # the 0.9999 quantile at four degrees of freedom


def test_units_are_exactly_the_coprime_residues() -> None:
    stream = Randomness(bytes(32))
    assert {int(stream.unit(mpz(15))) for _ in range(500)} == {1, 2, 4, 7, 8, 11, 13, 14}


@pytest.mark.parametrize("bound", [0, -1])
def test_an_empty_range_is_refused(bound: int) -> None:
    with pytest.raises(MisuseError, match=f"{bound} leaves no number"):
        Randomness(bytes(32)).below(bound)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MisuseError, match=f"{length} bytes; 32 needed"):
        Randomness(bytes(length))


def test_repr_hides_the_seed() -> None:
    seed = bytes(range(32))
    stream = Randomness(seed)
    stream.bytes(8)
    assert repr(stream) == str(stream) == "Randomness(hidden)"
