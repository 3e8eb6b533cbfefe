"""Slots wide enough for whichever members an attempt has."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import WidthError
from protocol.learning.judgement.members import row_weights
from protocol.marketplace import quorum
from protocol.messages import RowCount
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import replace
from protocol.roles.rounds.widths import checked_widths, largest_weight, started_widths
from protocol.roles.shared.parties import Parties
from tests.support.roles.checked_attempt import checked_attempt

ROWS = st.lists(st.integers(1, 1 << 40), min_size=2, max_size=7)


@given(rows=ROWS)
def test_no_members_that_can_measure_weigh_more(rows: list[int]) -> None:
    """Also without those whose few rows held the others' weights down."""
    least = max(2, quorum(len(rows)))
    groups = (chosen for size in range(least, len(rows) + 1) for chosen in combinations(rows, size))
    assert largest_weight(rows, quorum(len(rows))) == max(sum(row_weights(chosen)) for chosen in groups)


def test_a_member_that_drops_out_can_make_the_others_weigh_more() -> None:
    drawn = [1, 1, 1, 100, 100]
    assert sum(row_weights(drawn)) < sum(row_weights([1, 100, 100])) == largest_weight(drawn, 3)


def test_one_that_claims_any_number_of_rows_does_not_widen_them_beyond_four_times_the_next() -> None:
    assert largest_weight([20, 30, 1 << 40], 2) == 20 + 30 + 4 * 30


def with_rows(*rows: int) -> Parties:
    parties = checked_attempt().parties
    counts = tuple(RowCount(owner=one, rows=m) for one, m in zip(parties.seats, rows, strict=True))
    return replace(parties, rows=counts)


def test_drawn_owners_without_commitments_weigh_nothing() -> None:
    request = checked_attempt().request
    assert checked_widths(request, with_rows(5, 5, 40, 0, 40)).moments.bound_bits == (
        checked_widths(request, with_rows(5, 5, 40, 40, 0)).moments.bound_bits
    )


def test_widths_follow_all_drawn_trainers_and_the_members_rows() -> None:
    world = checked_attempt()
    narrow = checked_widths(world.request, with_rows(5, 5, 1, 1, 1)).moments
    wide = checked_widths(world.request, with_rows(5, 5, 64, 64, 64)).moments
    assert wide.bound_bits == narrow.bound_bits + 6
    assert world.widths.projection.parameters == 1
    assert world.widths.projection.products == world.widths.moments.products


def test_rows_that_do_not_fit_are_refused_in_numbers() -> None:
    with pytest.raises(WidthError, match="a product needs"):
        checked_widths(checked_attempt().request, with_rows(5, 5, 1 << 40, 1 << 40, 1 << 40))


def test_before_the_start_nothing_has_a_width() -> None:
    world = checked_attempt()
    with pytest.raises(EarlyInput):
        started_widths(world.request, replace(world.parties, rows=()))
    assert started_widths(world.request, world.parties) == world.widths
