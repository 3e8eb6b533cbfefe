"""Weights and checkers, as every party derives them."""

import itertools
from collections import Counter
from collections.abc import Sequence

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import MisuseError, ProtocolViolation
from protocol.learning.judgement.members import Absence, checkers
from protocol.marketplace import Revealed
from protocol.messages import RowCount
from protocol.messages.rounds.moments import LeftOutMember
from protocol.roles.engine.state import replace
from protocol.roles.rounds.members import attempt_checkers, draw_hash, member_weights, read_attempt
from protocol.roles.shared.parties import Parties
from protocol.types import RoundAttempt
from tests.support.roles.pure_contract import MARKET

SEATS = tuple(f"0x{index:040x}" for index in range(1, 7))
ROWS = (10, 10, 4, 5, 6, 1000)


def parties() -> Parties:
    rows = tuple(RowCount(owner=one, rows=m) for one, m in zip(SEATS, ROWS, strict=True))
    return Parties(seats=SEATS, trainers=0b11, validators=0b111100, rows=rows)


def revealing(chance: bytes, order: Sequence[int] = range(6)) -> Parties:
    """Parties whose nonces follow from this, revealed in this order of seats."""
    found = Parties(seats=SEATS, trainers=0b11, validators=0b111100)
    for seat in order:
        nonce = keccak(chance + bytes([seat]))
        found = found.with_reveal(Revealed(training=1, owner=SEATS[seat], seat=seat, nonce=nonce))
    return found


def test_weights_are_rows_up_to_four_times_the_lower_median_of_the_members() -> None:
    assert list(member_weights(parties(), 0b111100).values()) == [4, 5, 6, 20]
    assert member_weights(parties(), 0b110000) == {SEATS[4]: 6, SEATS[5]: 24}


def test_checkers_are_members_and_change_with_round_and_attempt() -> None:
    hashed = draw_hash(MARKET, 1, parties())
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
        attempt_checkers(parties(), 0b100, RoundAttempt(1, 1), draw_hash(MARKET, 1, parties()))


def test_every_training_has_an_order_of_its_own() -> None:
    other = MARKET.model_copy(update={"chain_id": 2})
    hashes = {
        draw_hash(market, number, parties()) for market, number in ((MARKET, 1), (MARKET, 2), (other, 1))
    }
    assert len(hashes) == 3


@given(seat=st.integers(0, 5), nonce=st.binary(min_size=32, max_size=32))
def test_each_nonce_alone_gives_another_order(seat: int, nonce: bytes) -> None:
    """So nobody knows it who does not know all: a seat is taken before any is shown."""
    drawn = revealing(b"\1")
    nonces = (*drawn.nonces[:seat], nonce, *drawn.nonces[seat + 1 :])
    changed = replace(drawn, nonces=nonces)
    assert draw_hash(MARKET, 1, changed) != draw_hash(MARKET, 1, drawn)


@given(order=st.permutations(range(6)))
def test_everybody_has_the_same_order_whoever_reveals_first(order: list[int]) -> None:
    assert revealing(b"\1", order) == revealing(b"\1")


def shares(owners: int, number: int, draws: int = 300) -> dict[int, float]:
    """How often each seat of three validators checks a round, over nonces of the others."""
    checks, drawn = Counter[int](), Counter[int]()
    for index in range(draws):
        hashed = draw_hash(MARKET, 1, revealing(index.to_bytes(2, "big")))
        for three in itertools.combinations(range(owners), 3):
            checks.update(checkers(three, hashed, number, 0))
            drawn.update(three)
    return {seat: checks[seat] / drawn[seat] for seat in range(owners)}


def test_no_seat_is_worth_more_than_another_to_who_would_check() -> None:
    """Of three validators two check: whoever takes a seat knows no more than that, of no round."""
    assert all(share == pytest.approx(2 / 3, abs=0.1) for share in shares(6, 1).values())


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
