"""Bodies in parts: whole again in any order, and nobody's parts cost another's."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ProtocolViolation
from protocol.messages import MAXIMUM_BODY_BYTES
from services.bus.amqp.chunking import (
    CHUNK_BYTES,
    MAXIMUM_INCOMPLETE,
    MAXIMUM_INCOMPLETE_BYTES,
    Assembler,
    check_chunk,
    split,
)

MAXIMUM_CHUNKS = MAXIMUM_BODY_BYTES // CHUNK_BYTES


@given(size=st.integers(0, 4 * CHUNK_BYTES), seed=st.integers())
def test_parts_join_to_the_body_in_any_order(size: int, seed: int) -> None:
    body = random.Random(seed).randbytes(size)
    pieces = split(body)
    assert b"".join(pieces) == body
    assert len(pieces) == max(1, -(-size // CHUNK_BYTES))
    if len(pieces) == 1:
        return
    order = random.Random(seed).sample(range(len(pieces)), len(pieces))
    assembler: Assembler[int] = Assembler()
    for number in order[:-1]:
        assert assembler.add("peer", "id", number, len(pieces), pieces[number], number).whole is None
    whole = assembler.add("peer", "id", order[-1], len(pieces), pieces[order[-1]], order[-1]).whole
    assert whole is not None
    assert (whole.body, whole.handles) == (body, tuple(range(len(pieces))))
    assert assembler.held == 0


def test_the_longest_body_has_as_many_parts_as_are_taken() -> None:
    count = len(split(bytes(MAXIMUM_BODY_BYTES)))
    assert count == MAXIMUM_CHUNKS
    assert check_chunk(count - 1, count, b"", MAXIMUM_BODY_BYTES) == (count - 1, count)


@pytest.mark.parametrize(
    ("number", "total"),
    [(0, 1), (2, 2), (-1, 2), (0, 0), ("0", 2), (0, None), (False, 2), (0, True)],
)
def test_impossible_numbers_are_refused(number: object, total: object) -> None:
    with pytest.raises(ProtocolViolation, match="malformed"):
        check_chunk(number, total, b"", MAXIMUM_BODY_BYTES)


@pytest.mark.parametrize(("total", "size"), [(2, CHUNK_BYTES + 1), (MAXIMUM_CHUNKS + 1, 0)])
def test_more_than_a_part_or_a_body_may_hold_is_oversized(total: int, size: int) -> None:
    with pytest.raises(ProtocolViolation, match="oversized"):
        check_chunk(0, total, bytes(size), MAXIMUM_BODY_BYTES)


def test_a_type_with_a_limit_of_its_own_has_fewer_chunks() -> None:
    assert check_chunk(2, 3, b"", limit=2 * CHUNK_BYTES + 1) == (2, 3)
    with pytest.raises(ProtocolViolation, match="at most 3"):
        check_chunk(2, 4, b"", limit=2 * CHUNK_BYTES + 1)


def test_a_repeated_part_takes_the_place_of_the_first() -> None:
    assembler: Assembler[str] = Assembler()
    assembler.add("peer", "id", 0, 2, b"a", "first")
    assert assembler.add("peer", "id", 0, 2, b"a", "again").superseded == "first"
    taken = assembler.add("peer", "id", 1, 2, b"b", "other")
    assert taken.whole is not None
    assert taken.whole.handles == ("again", "other")


def test_messages_of_two_peers_under_one_id_do_not_mix() -> None:
    assembler: Assembler[str] = Assembler()
    assembler.add("peer", "id", 0, 2, b"a", "peer")
    assert assembler.add("attacker", "id", 1, 2, b"b", "attacker").whole is None
    assert assembler.held == 2


def test_another_number_of_parts_begins_anew() -> None:
    assembler: Assembler[str] = Assembler()
    assembler.add("peer", "id", 0, 2, b"a", "old")
    assert assembler.add("peer", "id", 1, 3, b"b", "new").given_up == (("old",),)
    assert assembler.held == 1


def test_too_many_messages_cost_the_peer_its_own_oldest() -> None:
    assembler: Assembler[str] = Assembler()
    assembler.add("honest", "id", 0, 2, b"", "honest")
    for number in range(MAXIMUM_INCOMPLETE):
        assert assembler.add("attacker", str(number), 0, 2, b"", str(number)).given_up == ()
    assert assembler.add("attacker", "more", 0, 2, b"", "more").given_up == (("0",),)
    assert assembler.add("honest", "id", 1, 2, b"", "end").whole is not None


def test_one_message_that_may_be_sent_is_not_too_many_bytes() -> None:
    assert MAXIMUM_INCOMPLETE_BYTES >= MAXIMUM_BODY_BYTES


def test_too_many_bytes_cost_the_peer_its_own_oldest() -> None:
    assembler: Assembler[str] = Assembler(maximum_bytes=10)
    assembler.add("honest", "id", 0, 3, bytes(10), "honest")
    assembler.add("attacker", "a", 0, 3, bytes(6), "a")
    assert assembler.add("attacker", "b", 0, 3, bytes(5), "b").given_up == (("a",),)
    assert assembler.held == 2


def test_everything_can_be_given_up() -> None:
    assembler: Assembler[str] = Assembler()
    assembler.add("peer", "a", 0, 3, b"", "a0")
    assembler.add("peer", "a", 2, 3, b"", "a2")
    assembler.add("peer", "b", 0, 2, b"", "b0")
    assert assembler.give_up_all() == [("a0", "a2"), ("b0",)]
    assert assembler.held == 0
