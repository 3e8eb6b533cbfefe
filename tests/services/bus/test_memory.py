"""The bus inside one process keeps to what every bus promises."""

import pytest

from protocol.codec import unpack
from protocol.messages import ChainEvent
from services.bus.memory import MemoryBroker, MemoryBus
from services.bus.port import Unroutable
from tests.support.broker.bus_conformance import (
    AGGREGATOR,
    OWNER,
    ROLE_OF,
    STRANGER,
    BusConformance,
    chain_event,
    connected,
)


class MemoryHarness:
    """See Harness."""

    def __init__(self):
        self.broker = MemoryBroker()
        for address, role in ROLE_OF.items():
            self.broker.declare(role, address)

    def connect(self, _address):
        return MemoryBus(self.broker)

    async def dead_letters(self):
        return [
            (letter.envelope_fields["type"], letter.envelope_fields["message_id"], letter.code, letter.detail)
            for letter in self.broker.dead_letters
        ]


@pytest.fixture
def harness():
    return MemoryHarness()


class TestMemoryBus(BusConformance):
    """All of the conformance tests."""


async def test_the_tap_sees_what_was_taken_and_nothing_else(harness):
    seen = []
    harness.broker.tap = seen.append
    async with connected(harness, AGGREGATOR) as sender:
        sent = await sender.send(OWNER, b"sealed")
        with pytest.raises(Unroutable):
            await sender.send(STRANGER, b"lost")
    assert [(message.envelope, message.sealed, message.recipient_role) for message in seen] == [
        (sent, b"sealed", "data_owner")
    ]


async def test_a_second_declaration_keeps_what_waits(harness):
    async with connected(harness, AGGREGATOR) as sender:
        await sender.send(OWNER, b"waits")
        await sender.bus.publish_event(chain_event(1), "seen")
    harness.broker.declare("data_owner", OWNER)
    async with connected(harness, OWNER) as recipient:
        (delivery,) = await recipient.take()
        (event,) = await recipient.take_events("seen")
    assert (delivery.body, event.event) == (b"waits", chain_event(1))


def test_a_dead_letter_shows_no_body_in_its_text(harness):
    from services.bus.memory import DeadLetter  # noqa: PLC0415

    assert "sealed bytes" not in repr(DeadLetter({}, b"sealed bytes", "malformed", ""))


async def test_a_refused_event_is_off_the_queue_and_among_the_dead(harness):
    async with connected(harness, AGGREGATOR) as listener:
        for number in (4, 5):
            await listener.bus.publish_event(chain_event(number), "confirmed")
    async with connected(harness, OWNER) as party:
        (refused,) = await party.take_events("confirmed", 1)
        await refused.dead_letter("event_altered", "block 4")
        assert party.bus.dead_letters == {"event_altered": 1}
    async with connected(harness, OWNER) as party:
        (taken,) = await party.take_events("confirmed", 1)
        assert taken.event == chain_event(5)
    (letter,) = harness.broker.dead_letters
    assert (letter.code, letter.detail) == ("event_altered", "block 4")
    assert unpack(ChainEvent, letter.body) == chain_event(4)
