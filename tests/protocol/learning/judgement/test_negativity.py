"""Of an error that is truly negative some member is always found, and nobody whose part is not negative."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.crypto.ring.context import Maker
from protocol.learning.judgement.negativity import MAXIMUM_DEPTH, MINIMUM_DEPTH, STEP, Depths

UNIT, TOLERANCE = 1 << 20, 1 << 6
OTHERS = st.lists(st.integers(-(1 << 60), 1 << 60), min_size=1, max_size=4)
NEGATIVE = st.tuples(st.integers(-(1 << 90), -(1 << 40)), OTHERS).map(lambda one: [one[0], *one[1]])
"""One far below nothing at least: now and then the others make up for it, and nothing is said."""
FRACTIONS = st.fractions(0, 1)


def depths(parts: list[int]) -> Depths:
    return Depths(members=len(parts), unit=UNIT, tolerance=TOLERANCE)


@given(parts=NEGATIVE, noise=FRACTIONS, share=FRACTIONS, unseen=st.integers(1, len(Maker)))
def test_whoever_sees_parts_of_what_was_said_truly_finds_a_member_and_no_other(parts, noise, share, unseen):
    """Under the one share that a maker does not know, or under all three."""
    found = depths(parts)
    most = len(Maker) * UNIT
    depth = found.depth_of(sum(parts) + int(noise * most))
    assume(depth is not None)
    seen = [one + int(share * unseen * (found.share(depth) - 1)) for one in parts]
    negative = found.negative(seen)
    assert negative
    assert all(parts[place] < 0 for place in negative)
    assert not found.is_deeper(seen, depth, most)


@given(
    parts=st.lists(st.integers(0, 1 << 90), min_size=2, max_size=5),
    depth=st.integers(MINIMUM_DEPTH // STEP, 6),
)
def test_nobody_is_found_whose_part_is_not_negative_whatever_is_said(parts, depth):
    found = depths(parts)
    assert found.negative([one - TOLERANCE for one in parts]) == []
    assert found.depth_of(sum(parts)) is None
    assert not found.is_deeper(parts, depth * STEP, 0)


@given(parts=st.lists(st.integers(-(1 << 90), -(1 << 56)), min_size=2, max_size=5))
def test_who_says_less_than_is_true_to_see_more_digits_is_found_out(parts):
    found, most = depths(parts), len(Maker) * UNIT
    depth = found.depth_of(sum(parts) + most)
    assert depth is not None
    assert depth >= MINIMUM_DEPTH + 2 * STEP
    lesser = depth - 2 * STEP
    seen = [one + found.share(lesser) - 1 for one in parts]
    assert found.is_deeper(seen, lesser, most)


@pytest.mark.parametrize("depth", range(MINIMUM_DEPTH, MAXIMUM_DEPTH + 1, STEP))
def test_a_depth_is_the_largest_whose_shares_leave_a_part_negative(depth):
    found = Depths(members=2, unit=UNIT, tolerance=TOLERANCE)
    floor = 2 * (len(Maker) * (UNIT << depth) + TOLERANCE)
    assert found.depth_of(-floor) == (depth - STEP if depth > MINIMUM_DEPTH else None)
    assert found.depth_of(-floor - 1) == depth
