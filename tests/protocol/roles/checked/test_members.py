"""Weights and checkers, as every party derives them."""

import itertools
from collections import Counter

import pytest

from protocol.errors import MisuseError, ProtocolViolation
from protocol.learning.judgement.members import Absence, checkers
from protocol.messages import RowCount
from protocol.messages.checked.moments import LeftOutMember
from protocol.roles.checked.members import attempt_checkers, draw_hash, member_weights, read_attempt
from protocol.roles.engine.state import replace
from protocol.roles.shared.parties import Parties
from protocol.types import RoundAttempt
from tests.support.roles.pure_contract import MARKET

SEATS = tuple(f"0x{index:040x}" for index in range(1, 7))
ROWS = (10, 10, 4, 5, 6, 1000)


def parties() -> Parties:
    rows = tuple(RowCount(owner=one, rows=m) for one, m in zip(SEATS, ROWS, strict=True))
    return Parties(seats=SEATS, trainers=0b11, validators=0b111100, rows=rows)


def test_weights_are_rows_up_to_four_times_the_lower_median_of_the_members() -> None:
    assert list(member_weights(parties(), 0b111100).values()) == [4, 5, 6, 20]
    assert member_weights(parties(), 0b110000) == {SEATS[4]: 6, SEATS[5]: 24}


def test_checkers_are_members_and_change_with_round_and_attempt() -> None:
    hashed = draw_hash(MARKET, 1)
    pairs = Counter[tuple[str, str]]()
    for number in range(1, 30):
        first = attempt_checkers(parties(), 0b111100, RoundAttempt(number, 1), hashed)
        second = attempt_checkers(parties(), 0b111100, RoundAttempt(number, 2), hashed)
        assert {*first, *second} <= set(SEATS[2:])
        assert first[0] != first[1]
        assert second[0] == first[1]
        pairs[first] += 1
    assert len(pairs) > 6


def test_one_member_cannot_check_alone() -> None:
    with pytest.raises(MisuseError):
        attempt_checkers(parties(), 0b100, RoundAttempt(1, 1), draw_hash(MARKET, 1))


def test_every_training_has_an_order_of_its_own() -> None:
    other = MARKET.model_copy(update={"chain_id": 2})
    assert len({draw_hash(MARKET, 1), draw_hash(MARKET, 2), draw_hash(other, 1)}) == 3


def shares(owners: int, rounds: range) -> dict[int, float]:
    """How often each seat checks, over all draws in which it is one of three validators."""
    hashed, checks, draws = draw_hash(MARKET, 1), Counter[int](), Counter[int]()
    for drawn, number in itertools.product(itertools.combinations(range(owners), 3), rounds):
        checks.update(checkers(drawn, hashed, number, 0))
        draws.update(drawn)
    return {seat: checks[seat] / draws[seat] for seat in range(owners)}


def test_a_chosen_seat_checks_a_chosen_round_and_hardly_more_of_a_whole_training() -> None:
    """All that is to be had of joining last: by chance a checker's share is 2/3. Two validators check all."""
    one = [shares(10, range(number, number + 1)) for number in range(1, 21)]
    assert all(max(each.values()) == 1 for each in one)
    assert max(shares(10, range(1, 21)).values()) < 0.8


def test_an_announced_attempt_is_read_by_seats() -> None:
    left = (LeftOutMember(member=SEATS[4], why="silent"),)
    found = read_attempt(parties(), 2, SEATS[2:4], left)
    assert (found.number, found.members) == (1, (2, 3))
    assert [(one.seat, one.why) for one in found.left_out] == [(4, Absence.SILENT)]


def test_nobody_without_a_seat_or_without_commitments_is_a_member() -> None:
    with pytest.raises(ProtocolViolation, match="not_a_party"):
        read_attempt(parties(), 1, SEATS[2:4], (LeftOutMember(member="0x" + "ff" * 20, why="named"),))
    bare = replace(parties(), rows=(*parties().rows[:5], RowCount(owner=SEATS[5], rows=0)))
    with pytest.raises(ProtocolViolation, match="nothing_committed"):
        read_attempt(bare, 1, SEATS[2:], ())
