"""What daemons rely on from any bus, as tests: a subclass says which broker by its `harness` fixture."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol

import pytest

from protocol.envelope import Envelope
from protocol.marketplace import Settled, Withdrawn
from protocol.messages import MAXIMUM_BODY_BYTES, MESSAGE_TYPES, ChainEvent, Complaint
from services.bus.port import DELIVERY_LIMIT, Bus, Outgoing, Unroutable, read_envelope

BUYER = "0x" + "b0" * 20
AGGREGATOR = "0x" + "fa" * 20
OWNER = "0x" + "d0" * 20
STRANGER = "0x" + "66" * 20
ROLE_OF = {BUYER: "model_buyer", AGGREGATOR: "federated_aggregator", OWNER: "data_owner"}
SECONDS = 120.0
"""A bound for what must come; nothing is measured by it."""


class Harness(Protocol):
    """A broker on which ROLE_OF's parties are provisioned, and nobody else."""

    def connect(self, address: str) -> Bus:
        """This party's own bus, new."""
        ...

    async def dead_letters(self) -> Sequence[tuple[str, bytes, str, str]]:
        """(type, message id, code, detail) of every dead letter so far."""
        ...


class Connection:
    """A party's bus with what it has taken off it."""

    def __init__(self, bus: Bus, address: str) -> None:
        self.bus, self.address = bus, address
        self._messages: Any = None
        self._events: dict[str, Any] = {}

    async def send(self, recipient: str, sealed: bytes, **envelope: Any) -> Envelope:
        """Publish to a party; returns the envelope."""
        sent = envelope_to(recipient, sender=self.address, **envelope)
        await self.bus.publish(Outgoing(ROLE_OF.get(recipient, "data_owner"), sent, sealed))
        return sent

    async def take(self, count: int = 1) -> list[Any]:
        """So many deliveries, none acked."""
        if self._messages is None:
            self._messages = self.bus.deliveries(ROLE_OF[self.address], self.address)
        return await _next(self._messages, count)

    async def take_events(self, stream: str, count: int = 1) -> list[Any]:
        """So many events of a stream, none acked."""
        if stream not in self._events:
            self._events[stream] = self.bus.events(stream, self.address)
        return await _next(self._events[stream], count)

    async def close(self) -> None:
        """As a daemon that stops."""
        await self.bus.close()
        for stream in (self._messages, *self._events.values()):
            if stream is not None:
                await stream.aclose()


async def _next(stream: Any, count: int) -> list[Any]:
    async with asyncio.timeout(SECONDS):
        return [await anext(stream) for _ in range(count)]


@asynccontextmanager
async def connected(harness: Harness, address: str) -> AsyncIterator[Connection]:
    """A connection that is closed at the end."""
    connection = Connection(harness.connect(address), address)
    try:
        yield connection
    finally:
        await connection.close()


def envelope_to(recipient: str, *, sender: str = AGGREGATOR, **changes: Any) -> Envelope:
    """An envelope with an id of its own."""
    values = {"message_id": os.urandom(16), "type": "invitation", "training": 1, "sent_at": 1}
    return Envelope(**{**values, **changes}, sender=sender, recipient=recipient)


def chain_event(number: int, event: Any = None) -> ChainEvent:
    """A contract event in a block of its own."""
    return ChainEvent(
        event=event or Withdrawn(account=BUYER, amount=number),
        chain_id=1337,
        block_number=number,
        block_hash=number.to_bytes(32, "big"),
        transaction_hash=b"t" * 32,
        log_index=0,
        timestamp=number,
    )


def bodies(deliveries: Sequence[Any]) -> list[bytes]:
    """What was delivered."""
    return [delivery.body for delivery in deliveries]


class BusConformance:
    """Every bus passes these."""

    async def test_a_message_arrives_as_it_was_sent(self, harness: Harness) -> None:
        sealed = os.urandom(300)
        async with connected(harness, AGGREGATOR) as sender, connected(harness, OWNER) as recipient:
            sent = await sender.send(OWNER, sealed, training=2**62, round=9, attempt=3)
            (delivery,) = await recipient.take()
            assert read_envelope(delivery.envelope_fields) == sent
            assert delivery.body == sealed
            assert (sender.bus.messages_published, sender.bus.bytes_published) == (1, 300)
            await delivery.ack()

    async def test_a_large_body_arrives_whole(self, harness: Harness) -> None:
        sealed = os.urandom(3 * 2**20 + 5)
        async with connected(harness, AGGREGATOR) as sender, connected(harness, OWNER) as recipient:
            await sender.send(OWNER, sealed)
            (delivery,) = await recipient.take()
            assert delivery.body == sealed
            await delivery.ack()

    async def test_messages_come_in_order_and_to_their_recipient_alone(self, harness: Harness) -> None:
        async with connected(harness, AGGREGATOR) as sender:
            for number in range(30):
                await sender.send(OWNER if number % 3 else BUYER, bytes([number]))
        for address, expected in ((OWNER, [n for n in range(30) if n % 3]), (BUYER, [*range(0, 30, 3)])):
            async with connected(harness, address) as recipient:
                deliveries = await recipient.take(len(expected))
                assert bodies(deliveries) == [bytes([number]) for number in expected]
                for delivery in deliveries:
                    await delivery.ack()

    async def test_what_was_not_acked_comes_again_in_order(self, harness: Harness) -> None:
        async with connected(harness, AGGREGATOR) as sender:
            for body in (b"1", b"2", b"3", b"4"):
                await sender.send(OWNER, body)
        async with connected(harness, OWNER) as recipient:
            deliveries = await recipient.take(3)
            await deliveries[1].ack()
        async with connected(harness, OWNER) as recipient:
            deliveries = await recipient.take(3)
            assert bodies(deliveries) == [b"1", b"3", b"4"]
            for delivery in deliveries:
                await delivery.ack()

    async def test_what_was_acked_never_comes_again(self, harness: Harness) -> None:
        async with connected(harness, AGGREGATOR) as sender:
            await sender.send(OWNER, b"acked")
            async with connected(harness, OWNER) as recipient:
                (delivery,) = await recipient.take()
                await delivery.ack()
            await sender.send(OWNER, b"later")
        async with connected(harness, OWNER) as recipient:
            deliveries = await recipient.take()
            assert bodies(deliveries) == [b"later"]
            await deliveries[0].ack()

    async def test_a_message_that_is_never_acked_ends_in_the_dead_letters(self, harness: Harness) -> None:
        async with connected(harness, AGGREGATOR) as sender:
            poison = await sender.send(OWNER, b"poison")
            taken = []
            for number in range(DELIVERY_LIMIT + 2):
                if number == DELIVERY_LIMIT:
                    await sender.send(OWNER, b"later")
                async with connected(harness, OWNER) as recipient:
                    deliveries = await recipient.take()
                    taken += bodies(deliveries)
                    if taken[-1] == b"later":
                        await deliveries[0].ack()
                        break
        assert taken[-1] == b"later"
        # The limit counts deliveries here and repetitions there.
        assert taken.count(b"poison") in (DELIVERY_LIMIT, DELIVERY_LIMIT + 1)
        found = [(kind, which, code) for kind, which, code, _detail in await harness.dead_letters()]
        assert found == [("invitation", poison.message_id, "delivery_limit")]

    async def test_a_refused_message_is_off_the_queue_and_among_the_dead(self, harness: Harness) -> None:
        async with connected(harness, AGGREGATOR) as sender:
            refused = await sender.send(OWNER, b"forged")
            await sender.send(OWNER, b"good")
        async with connected(harness, OWNER) as recipient:
            (delivery,) = await recipient.take()
            await delivery.dead_letter("bad_signature", "signed by another")
        async with connected(harness, OWNER) as recipient:
            deliveries = await recipient.take()
            assert bodies(deliveries) == [b"good"]
            await deliveries[0].ack()
        letters = list(await harness.dead_letters())
        assert letters == [("invitation", refused.message_id, "bad_signature", "signed by another")]

    async def test_a_letter_of_a_message_that_was_acked_before(self, harness: Harness) -> None:
        envelope = envelope_to(OWNER, type="complaint")
        async with connected(harness, OWNER) as recipient:
            await recipient.bus.publish_dead_letter(envelope, "not_mine", "training 3")
        letters = list(await harness.dead_letters())
        assert letters == [("complaint", envelope.message_id, "not_mine", "training 3")]

    async def test_a_message_to_nobody_is_refused(self, harness: Harness) -> None:
        async with connected(harness, AGGREGATOR) as sender:
            with pytest.raises(Unroutable, match=STRANGER):
                await sender.send(STRANGER, b"lost")
            with pytest.raises(Unroutable, match=f"model_buyer.*{OWNER}"):
                await sender.bus.publish(Outgoing("model_buyer", envelope_to(OWNER), b"wrong role"))
            assert sender.bus.messages_published == 0

    async def test_a_body_over_the_bound_is_refused(self, harness: Harness) -> None:
        async with connected(harness, AGGREGATOR) as sender:
            with pytest.raises(Unroutable, match=str(MAXIMUM_BODY_BYTES)):
                await sender.send(OWNER, bytes(MAXIMUM_BODY_BYTES + 1), type="complaint")
            await sender.send(OWNER, b"small")
            assert sender.bus.bytes_published == 5
        async with connected(harness, OWNER) as recipient:
            deliveries = await recipient.take()
            assert bodies(deliveries) == [b"small"]
            await deliveries[0].ack()

    async def test_a_type_s_own_bound_is_kept(
        self, harness: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class ShortComplaint(Complaint):
            catalogue = replace(Complaint.catalogue, maximum_bytes=10)

        monkeypatch.setitem(MESSAGE_TYPES, "complaint", ShortComplaint)
        async with connected(harness, AGGREGATOR) as sender:
            with pytest.raises(Unroutable, match="at most 10 "):
                await sender.send(OWNER, bytes(11), type="complaint")
            await sender.send(OWNER, bytes(10), type="complaint")
            await sender.send(OWNER, bytes(11), type="invitation")
            assert sender.bus.messages_published == 2

    async def test_who_is_not_provisioned_hears_so(self, harness: Harness) -> None:
        async with connected(harness, OWNER) as party:
            with pytest.raises(Unroutable, match=r"provision|apply"):
                await _next(party.bus.deliveries("data_owner", STRANGER), 1)
            with pytest.raises(Unroutable, match=r"provision|apply"):
                await _next(party.bus.events("confirmed", STRANGER), 1)

    async def test_every_subscriber_gets_every_event_of_a_stream_in_order(self, harness: Harness) -> None:
        settled = Settled(training=7, improvement=-(2**90), paid=2**80, refund=0)
        events = [chain_event(1), chain_event(2, settled), chain_event(3)]
        async with connected(harness, AGGREGATOR) as listener:
            await listener.bus.publish_event(chain_event(9), "seen")
            for event in events:
                await listener.bus.publish_event(event, "confirmed")
        for address in (OWNER, BUYER):
            async with connected(harness, address) as party:
                taken = await party.take_events("confirmed", 3)
                assert [delivery.event for delivery in taken] == events
                for delivery in taken:
                    await delivery.ack()

    async def test_events_that_were_not_acked_come_again(self, harness: Harness) -> None:
        async with connected(harness, AGGREGATOR) as listener:
            for number in (1, 2, 3):
                await listener.bus.publish_event(chain_event(number), "confirmed")
        async with connected(harness, OWNER) as party:
            taken = await party.take_events("confirmed", 2)
            await taken[0].ack()
        async with connected(harness, OWNER) as party:
            taken = await party.take_events("confirmed", 2)
            assert [delivery.event.block_number for delivery in taken] == [2, 3]
            for delivery in taken:
                await delivery.ack()
