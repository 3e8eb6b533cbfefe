"""Weights that no claim of rows moves, checkers that nobody chooses, members that do not come back."""

import numpy as np
import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import MisuseError, ProtocolViolation
from protocol.learning.judgement.members import (
    Absence,
    Attempt,
    LeftOut,
    checkers,
    in_order,
    require_attempt,
    row_weights,
)

BLOCK = keccak(b"block")
ROWS = st.lists(st.integers(1, 1 << 40), min_size=1, max_size=12)
SEATS = st.sets(st.integers(0, 255), min_size=2, max_size=12)


@settings(max_examples=25)
@given(ROWS)
def test_weights_are_rows_up_to_four_lower_medians(rows: list[int]) -> None:
    median = int(np.sort(rows)[(len(rows) - 1) // 2])
    assert row_weights(rows) == [min(one, 4 * median) for one in rows]


@settings(max_examples=25)
@given(ROWS.filter(lambda rows: len(rows) > 1), st.data())
def test_no_claim_counts_more_than_four_times_what_others_have(rows: list[int], data: st.DataObject) -> None:
    liar = data.draw(st.integers(0, len(rows) - 1))
    others = [one for place, one in enumerate(rows) if place != liar]
    claimed = [1 << 37 if place == liar else one for place, one in enumerate(rows)]
    assert row_weights(claimed)[liar] <= 4 * max(others)


def test_a_claim_of_many_rows_would_decide_alone_without_the_cap_and_under_the_upper_median() -> None:
    rows = [100, 1 << 37]
    assert row_weights(rows) == [100, 400]
    assert rows[1] / sum(rows) > 0.999999
    upper = 4 * sorted(rows)[len(rows) // 2]
    assert min(rows[1], upper) == rows[1]


def test_rows_that_nobody_has_are_refused() -> None:
    for rows in ([], [5, 0], [-1]):
        with pytest.raises(MisuseError, match="at least 1"):
            row_weights(rows)


@settings(max_examples=25)
@given(SEATS, st.integers(0, 10_000))
def test_the_order_is_that_of_the_hashes(seats: set[int], number: int) -> None:
    ordered = in_order(seats, BLOCK, number)
    assert set(ordered) == seats
    words = [number.to_bytes(32, "big") + seat.to_bytes(32, "big") for seat in ordered]
    hashes = [keccak(BLOCK + word) for word in words]
    assert hashes == sorted(hashes)


@settings(max_examples=25)
@given(SEATS, st.integers(0, 10_000), st.integers(0, 2))
def test_two_members_check_and_the_second_one_the_next_attempt(
    seats: set[int], number: int, attempt: int
) -> None:
    first, second = found = checkers(seats, BLOCK, number, attempt)
    assert first != second
    assert {first, second} <= seats
    assert checkers(sorted(seats, reverse=True), BLOCK, number, attempt) == found
    assert checkers(seats, BLOCK, number, attempt + 1)[0] == second


def test_other_blocks_and_rounds_have_other_checkers() -> None:
    seats = range(5)
    assert len({tuple(in_order(seats, BLOCK, number)) for number in range(40)}) > 20
    assert in_order(seats, BLOCK, 1) != in_order(seats, keccak(b"other"), 1)
    assert len({checkers(seats, BLOCK, number, 0) for number in range(200)}) == 20
    for few in ([], [3]):
        with pytest.raises(MisuseError, match="checked by two"):
            checkers(few, BLOCK, 1, 0)


def silent(*seats: int) -> tuple[LeftOut, ...]:
    return tuple(LeftOut(seat, Absence.SILENT) for seat in seats)


def test_attempts_that_leave_members_out_by_name() -> None:
    first = Attempt(0, (0, 1, 2, 3, 4))
    second = Attempt(1, (0, 2, 3, 4), silent(1))
    third = Attempt(2, (0, 3, 4), (LeftOut(2, Absence.NAMED),))
    require_attempt(5, range(5), None, first)
    require_attempt(5, first.members, first, second)
    require_attempt(5, second.members, second, third)
    require_attempt(5, third.members, None, Attempt(0, (0, 3, 4)))


@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        (Attempt(3, (0, 1, 2, 3)), "attempt_out_of_order"),
        (Attempt(1, (0, 1, 2, 3)), "attempt_out_of_order"),
        (Attempt(2, (0, 1, 2)), "wrong_members"),
        (Attempt(2, (0, 1, 2), silent(3, 4)), "wrong_members"),
        (Attempt(2, (0, 1, 2, 3, 4)), "wrong_members"),
        (Attempt(2, (0, 1, 2, 3), silent(3)), "wrong_members"),
        (Attempt(2, (0, 1, 2, 2), silent(3)), "wrong_members"),
        (Attempt(2, (0, 1), silent(2, 3)), "too_few_members"),
    ],
)
def test_other_attempts_are_refused(attempt: Attempt, code: str) -> None:
    before = Attempt(1, (0, 1, 2, 3), silent(4))
    with pytest.raises(ProtocolViolation, match=code):
        require_attempt(5, before.members, before, attempt)


def test_there_is_no_fourth_attempt_and_no_lone_member() -> None:
    with pytest.raises(ProtocolViolation, match="too_many_attempts"):
        require_attempt(3, (0, 1, 2), Attempt(2, (0, 1, 2)), Attempt(3, (0, 1, 2)))
    with pytest.raises(ProtocolViolation, match="too_few_members"):
        require_attempt(1, (0,), None, Attempt(0, (0,)))


def test_an_aggregator_does_not_isolate_an_owner_by_dropping_others_in_turn() -> None:
    """Sums over members that differ by one each are one member's numbers; whoever was left out stays out."""
    numbers, sets = {0: 11, 1: 23, 2: 47}, [(0, 1, 2), (0, 1), (0, 2)]
    sums = [sum(numbers[seat] for seat in members) for members in sets]
    assert (sums[0] - sums[1], sums[0] - sums[2]) == (numbers[2], numbers[1])
    first, second = Attempt(0, sets[0]), Attempt(1, sets[1], silent(2))
    require_attempt(3, sets[0], None, first)
    require_attempt(3, sets[0], first, second)
    for back in ((), silent(1)):
        with pytest.raises(ProtocolViolation, match="wrong_members"):
            require_attempt(3, second.members, second, Attempt(2, sets[2], back))
