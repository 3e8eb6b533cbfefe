"""Who may have early inputs kept, how much of it, and who gives way."""

import pytest

from protocol.envelope import Envelope, SignedMessage
from protocol.errors import ProtocolViolation
from protocol.roles.engine import early
from protocol.roles.engine.early import EarlyInputs, Members, require_party
from protocol.roles.engine.inputs import MessageReceived, TimerFired
from protocol.signatures import address_of

KEYS = [bytes([number]) * 32 for number in range(1, 6)]
BUYER, AGGREGATOR, OWNER, OTHER, STRANGER = map(address_of, KEYS)
MEMBERS = Members(BUYER, AGGREGATOR, frozenset({OWNER, OTHER}))


def received(sender: str, size: int = 10, number: int = 0, kind: str = "complaint") -> MessageReceived:
    envelope = Envelope(
        message_id=number.to_bytes(16, "big"),
        type=kind,
        training=1,
        sender=sender,
        recipient=AGGREGATOR,
        sent_at=1,
    )
    return MessageReceived(signed=SignedMessage(envelope=envelope, body=bytes(size), signature=b"s" * 65))


def senders(waiting: EarlyInputs) -> list[str | None]:
    return [reference.sender for reference in waiting.references]


@pytest.mark.parametrize(
    ("kind", "sender", "members", "party"),
    [
        ("projection_answer", BUYER, MEMBERS, True),
        ("projection_answer", STRANGER, Members(None, AGGREGATOR, None), False),
        ("encrypted_model", AGGREGATOR, MEMBERS, True),
        ("projection_request", OWNER, MEMBERS, True),
        ("projection_request", OWNER, Members(BUYER, AGGREGATOR, None), False),
        ("complaint", OWNER, Members(BUYER, AGGREGATOR, None), False),
        ("stop_order", BUYER, MEMBERS, True),
    ],
)
def test_a_party_is_known_or_not_known_yet(kind, sender, members, party):
    assert (
        require_party(members, BUYER if kind == "stop_order" else OTHER, received(sender, kind=kind)) is party
    )
    assert require_party(members, OTHER, TimerFired(name="join"))


@pytest.mark.parametrize("kind", ["projection_answer", "encrypted_model", "projection_request", "complaint"])
def test_who_can_be_no_party_has_nothing_kept(kind):
    with pytest.raises(ProtocolViolation, match="not_a_party"):
        require_party(MEMBERS, BUYER, received(STRANGER, kind=kind))
    half = Members(BUYER, AGGREGATOR, None)
    if kind in ("projection_answer", "encrypted_model"):
        with pytest.raises(ProtocolViolation, match="not_a_party"):
            require_party(half, OTHER, received(OWNER, kind=kind))


def test_one_sender_s_bytes_are_bounded(monkeypatch):
    monkeypatch.setattr(early, "HELD_BYTES_OF_ONE", 3000)
    waiting = EarlyInputs((), {})
    for number in range(2):
        assert waiting.hold(received(OWNER, 1000, number), "complaint") == []
    [dropped] = waiting.hold(received(OWNER, 1000, 2), "complaint")
    assert dropped.sender == OWNER
    assert waiting.hold(received(OTHER, 1000, 3), "complaint") == []
    assert [waiting.load(one) for one in waiting.references] == [
        received(OWNER, 1000, 0),
        received(OWNER, 1000, 1),
        received(OTHER, 1000, 3),
    ]


def test_the_greediest_gives_way_and_who_is_not_known_before_all(monkeypatch):
    monkeypatch.setattr(early, "HELD_BYTES", 6500)
    waiting = EarlyInputs((), {})
    for sender, number, party in ((OWNER, 0, True), (OWNER, 1, True), (OTHER, 2, True), (STRANGER, 3, False)):
        assert waiting.hold(received(sender, 1200, number), "complaint", party=party) == []
    assert [one.sender for one in waiting.hold(received(BUYER, 1200, 4), "complaint")] == [STRANGER]
    assert [one.sender for one in waiting.hold(received(AGGREGATOR, 1200, 5), "complaint")] == [OWNER]
    assert senders(waiting) == [OWNER, OTHER, BUYER, AGGREGATOR]


def test_messages_never_take_the_place_of_what_the_daemon_knows_itself(monkeypatch):
    monkeypatch.setattr(early, "HELD_BYTES", 1)
    monkeypatch.setattr(early, "MAXIMUM_HELD", 0)
    waiting = EarlyInputs((), {})
    waiting.hold(received(OWNER), "complaint")
    assert waiting.hold(TimerFired(name="join"), "timer:join") == []
    assert senders(waiting) == [None]


def test_what_found_no_room_is_not_stored():
    waiting = EarlyInputs((), {})
    waiting.hold(received(OWNER), "complaint")
    waiting.references.clear()
    assert list(waiting.effects()) == []
