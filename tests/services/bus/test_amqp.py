"""The bus on a real broker: what is published arrives whole, and again until it is acked."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import aio_pika
import pytest

from protocol.codec import pack
from services.bus import amqp, consumer
from services.bus.names import CHAIN_EXCHANGE, event_key, event_queue_name, message_key, queue_name
from services.bus.parts import MAXIMUM_INCOMPLETE, MAXIMUM_PARTS, PART_BYTES
from services.bus.port import (
    BusRefused,
    BusUnavailable,
    Outgoing,
    Unroutable,
    read_envelope,
)
from services.bus.properties import message_of
from services.config import Broker
from tests.support.amqp_market import AmqpMarket, address
from tests.support.bus_messages import chain_event, outgoing
from tests.support.hanging_proxy import hanging_proxy

T = TypeVar("T")


async def next_of(stream: AsyncIterator[T]) -> T:
    return await asyncio.wait_for(anext(stream), 30)


async def test_a_message_arrives_as_it_was_sent(market: AmqpMarket) -> None:
    sent = outgoing("federated_aggregator", market.buyer, market.aggregator, training=7)
    bus = market.bus(market.buyer)
    await bus.publish(sent)
    stream = market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator)
    delivery = await next_of(stream)
    assert read_envelope(delivery.envelope_fields) == sent.envelope
    assert delivery.body == sent.sealed
    assert (bus.messages_published, bus.bytes_published) == (1, len(sent.sealed))


async def test_an_operator_can_read_what_travels(market: AmqpMarket) -> None:
    sent = outgoing("data_owner", market.aggregator, market.owner, training=7)
    await market.bus(market.aggregator).publish(sent)
    queue = await (await market.channel()).get_queue(queue_name("data_owner", market.owner), ensure=False)
    seen = await queue.get(no_ack=True)
    assert seen.message_id == sent.envelope.message_id.hex()
    assert (seen.type, seen.correlation_id, seen.user_id) == ("complaint", "7", market.aggregator)
    assert (seen.content_type, seen.content_encoding) == ("application/msgpack", "x25519-sealed-box")
    assert seen.delivery_mode is aio_pika.DeliveryMode.PERSISTENT
    assert seen.timestamp is not None
    assert int(seen.timestamp.timestamp()) == sent.envelope.sent_at // 1000
    assert seen.routing_key == message_key("data_owner", market.owner, "complaint")
    del seen.headers["x-delivery-count"]
    assert seen.headers == {
        "sender": market.aggregator,
        "recipient": market.owner,
        "round": 3,
        "attempt": 1,
        "version": "1.0",
        "sent_at": sent.envelope.sent_at,
    }


async def test_an_ack_after_the_connection_was_lost_does_no_harm(market: AmqpMarket) -> None:
    await market.bus(market.buyer).publish(outgoing("federated_aggregator", market.buyer, market.aggregator))
    bus = market.bus(market.aggregator)
    stream = bus.deliveries("federated_aggregator", market.aggregator)
    delivery = await next_of(stream)
    await bus.close()
    await delivery.ack()
    assert await market.depth(queue_name("federated_aggregator", market.aggregator)) == 1


async def test_a_refused_message_is_among_the_dead_letters_with_the_reason(market: AmqpMarket) -> None:
    sent = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await market.bus(market.buyer).publish(sent)
    bus = market.bus(market.aggregator)
    stream = bus.deliveries("federated_aggregator", market.aggregator)
    delivery = await next_of(stream)
    await delivery.dead_letter("bad_signature", "signed by nobody")
    [letter] = await market.dead_letters()
    assert (letter.headers["code"], letter.headers["detail"]) == ("bad_signature", "signed by nobody")
    assert (letter.headers["sender"], letter.user_id) == (market.buyer, market.aggregator)
    assert letter.body == sent.sealed
    await bus.close()
    assert await market.depth(queue_name("federated_aggregator", market.aggregator)) == 0


async def test_a_refusal_after_the_ack_is_a_letter_too(market: AmqpMarket) -> None:
    sent = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await market.bus(market.aggregator).publish_letter(sent.envelope, "late", "x" * 10_000)
    [letter] = await market.dead_letters()
    assert letter.headers["code"] == "late"
    assert letter.message_id == sent.envelope.message_id.hex()
    assert len(letter.headers["detail"]) == 500


async def test_a_message_to_nobody_is_unroutable(market: AmqpMarket) -> None:
    bus = market.bus(market.buyer)
    with pytest.raises(Unroutable, match="provision the recipient"):
        await bus.publish(outgoing("federated_aggregator", market.buyer, address()))
    await bus.publish(outgoing("federated_aggregator", market.buyer, market.aggregator))
    assert bus.messages_published == 1


async def test_a_queue_that_never_was_is_told(market: AmqpMarket) -> None:
    with pytest.raises((Unroutable, BusRefused), match="deltaml admin broker apply"):
        await next_of(market.bus(market.buyer).deliveries("data_owner", market.buyer))


# ---- large bodies ----


async def test_a_large_body_travels_in_parts_and_arrives_whole(market: AmqpMarket) -> None:
    sealed = b"".join(bytes([number]) * PART_BYTES for number in range(3)) + b"end"
    sent = outgoing("federated_aggregator", market.buyer, market.aggregator, sealed=sealed)
    await market.bus(market.buyer).publish(sent)
    name = queue_name("federated_aggregator", market.aggregator)
    bus = market.bus(market.aggregator)
    stream = bus.deliveries("federated_aggregator", market.aggregator)
    delivery = await next_of(stream)
    assert delivery.body == sealed
    assert read_envelope(delivery.envelope_fields) == sent.envelope
    await bus.close()
    assert await market.depth(name) == 4, "parts are acked only with the whole"
    bus = market.bus(market.aggregator)
    stream = bus.deliveries("federated_aggregator", market.aggregator)
    delivery = await next_of(stream)
    assert delivery.body == sealed
    await delivery.ack()
    await bus.close()
    assert await market.depth(name) == 0


async def put_parts(market: AmqpMarket, message: Outgoing, parts: list[int], total: int = 2) -> None:
    """Publish some parts of a message, each with its number as the body."""
    channel = await market.channel(market.buyer)
    exchange = await channel.get_exchange("deltaml", ensure=False)
    key = message_key(message.recipient_role, message.envelope.recipient, message.envelope.type)
    for number in parts:
        headers = {"part": number, "parts": total}
        part = message_of(message.envelope, bytes([number]), user=market.buyer, headers=headers)
        await exchange.publish(part, key)


async def test_parts_may_repeat_and_come_in_any_order(market: AmqpMarket) -> None:
    message = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await put_parts(market, message, [2, 0, 0, 2, 1], total=3)
    bus = market.bus(market.aggregator)
    stream = bus.deliveries("federated_aggregator", market.aggregator)
    delivery = await next_of(stream)
    assert delivery.body == b"\0\1\2"
    await delivery.ack()
    await bus.close()
    assert await market.depth(queue_name("federated_aggregator", market.aggregator)) == 0


async def test_parts_that_wait_do_not_block_those_they_wait_for(
    market: AmqpMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "PREFETCH", 2)
    messages = [
        outgoing("federated_aggregator", market.buyer, market.aggregator) for _ in range(MAXIMUM_INCOMPLETE)
    ]
    for part in (0, 1):
        for message in messages:
            await put_parts(market, message, [part])
    stream = market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator)
    bodies = [(await next_of(stream)).body for _ in messages]
    assert bodies == [b"\0\1"] * MAXIMUM_INCOMPLETE


async def test_a_peer_leaves_only_so_many_messages_incomplete(market: AmqpMarket) -> None:
    messages = [
        outgoing("federated_aggregator", market.buyer, market.aggregator)
        for _ in range(MAXIMUM_INCOMPLETE + 1)
    ]
    for message in messages:
        await put_parts(market, message, [0])
    await put_parts(market, messages[1], [1])
    stream = market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator)
    delivery = await next_of(stream)
    assert delivery.envelope_fields["message_id"] == messages[1].envelope.message_id
    [letter] = await market.dead_letters()
    assert letter.headers["code"] == "incomplete"
    assert letter.message_id == messages[0].envelope.message_id.hex()


async def test_an_abandoned_part_is_given_up_after_a_silence(
    market: AmqpMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(amqp, "INCOMPLETE_SECONDS", 0.3)
    message = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await put_parts(market, message, [0])
    stream = market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator)
    reading = asyncio.ensure_future(anext(stream))
    [letter] = await market.dead_letters()
    assert letter.headers["code"] == "incomplete"
    await put_parts(market, message, [0, 1])
    assert (await asyncio.wait_for(reading, 20)).body == b"\0\1"


@pytest.mark.parametrize(
    "headers", [{"part": 2, "parts": 2}, {"part": "0", "parts": 2}, {"part": 0, "parts": 1}]
)
async def test_malformed_parts_are_refused(market: AmqpMarket, headers: dict[str, object]) -> None:
    message = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await publish_raw(market, message, user=market.buyer, headers=headers)
    await refused(market, "malformed")


async def test_a_large_body_in_one_piece_is_refused(market: AmqpMarket) -> None:
    message = outgoing("federated_aggregator", market.buyer, market.aggregator, sealed=bytes(PART_BYTES + 1))
    await publish_raw(market, message, user=market.buyer)
    await refused(market, "oversized")


async def test_more_parts_than_a_body_may_have_are_refused(market: AmqpMarket) -> None:
    message = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await publish_raw(market, message, user=market.buyer, headers={"part": 0, "parts": MAXIMUM_PARTS + 1})
    await refused(market, "oversized")


async def test_a_message_under_no_user_is_refused(market: AmqpMarket) -> None:
    """Otherwise a participant could fill another's share of incomplete messages."""
    await publish_raw(market, outgoing("federated_aggregator", market.owner, market.aggregator), user=None)
    await refused(market, "wrong_user")


async def publish_raw(
    market: AmqpMarket, message: Outgoing, *, user: str | None, headers: dict[str, object] | None = None
) -> None:
    """Publish as the buyer without the bus."""
    exchange = await (await market.channel(market.buyer)).get_exchange("deltaml", ensure=False)
    raw = message_of(message.envelope, message.sealed, user=user, headers=headers)  # type: ignore[arg-type]
    await exchange.publish(raw, message_key("federated_aggregator", market.aggregator, "complaint"))


async def refused(market: AmqpMarket, code: str) -> None:
    """The aggregator buries what is on its queue with this code, and goes on with the next message."""
    await market.bus(market.buyer).publish(
        outgoing("federated_aggregator", market.buyer, market.aggregator, sealed=b"next")
    )
    stream = market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator)
    assert (await next_of(stream)).body == b"next"
    [letter] = await market.dead_letters()
    assert letter.headers["code"] == code


# ---- contract events ----


@pytest.mark.parametrize("name", ["seen", "confirmed"])
async def test_every_participant_has_its_own_copy_of_the_events(market: AmqpMarket, name: str) -> None:
    listener = market.bus(market.listener)
    events = [chain_event(number) for number in range(3)]
    for event in events:
        await listener.publish_event(event, name)
    for participant in (market.buyer, market.owner):
        stream = market.bus(participant).events(name, participant)
        assert [(await next_of(stream)).event for _ in events] == events


async def test_an_event_that_is_none_is_buried(market: AmqpMarket) -> None:
    exchange = await (await market.channel(market.listener)).get_exchange(CHAIN_EXCHANGE, ensure=False)
    await exchange.publish(aio_pika.Message(b"noise"), event_key("confirmed", "Closed", 1))
    await market.bus(market.listener).publish_event(chain_event(5), "confirmed")
    stream = market.bus(market.owner).events("confirmed", market.owner)
    assert (await next_of(stream)).event == chain_event(5)
    [letter] = await market.dead_letters()
    assert letter.headers["code"] == "malformed"


async def test_a_confirmed_event_without_takers_is_told_a_seen_one_is_not(empty_market: AmqpMarket) -> None:
    listener = empty_market.bus(empty_market.listener)
    await listener.publish_event(chain_event(1), "seen")
    with pytest.raises(Unroutable):
        await listener.publish_event(chain_event(1), "confirmed")


# ---- losses ----


async def test_a_consumer_whose_queue_was_removed_finds_the_new_one(
    market: AmqpMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "QUIET_SECONDS", 0.5)
    stream = market.bus(market.owner).deliveries("data_owner", market.owner)
    publisher = market.bus(market.aggregator)
    await publisher.publish(outgoing("data_owner", market.aggregator, market.owner))
    await (await next_of(stream)).ack()
    reading = asyncio.ensure_future(anext(stream))
    await market.api.delete("queues", market.vhost, queue_name("data_owner", market.owner))
    await market.apply()
    sent = outgoing("data_owner", market.aggregator, market.owner)
    await publisher.publish(sent)
    delivery = await asyncio.wait_for(reading, 30)
    assert read_envelope(delivery.envelope_fields) == sent.envelope


async def test_consumer_and_publisher_outlive_their_connections(market: AmqpMarket) -> None:
    stream = market.bus(market.owner).deliveries("data_owner", market.owner)
    publisher = market.bus(market.aggregator)
    for closed in (False, True):
        if closed:
            await market.close_connections()
        sent = outgoing("data_owner", market.aggregator, market.owner)
        await publisher.publish(sent)
        delivery = await next_of(stream)
        assert read_envelope(delivery.envelope_fields) == sent.envelope
        await delivery.ack()


async def test_a_consumer_that_is_quiet_makes_way_unless_something_is_unacked(
    market: AmqpMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "QUIET_SECONDS", 0.1)
    await market.bus(market.listener).publish_event(chain_event(1), "confirmed")
    async with amqp.Link(market.config(market.owner), "test") as link:
        tried = consumer.Consumer(await link.channel(), event_queue_name("confirmed", market.owner))
        await tried.start()
        message = await tried.next()
        assert message is not None
        assert await tried.next() is None
        await message.ack()
        with pytest.raises(consumer.ConsumerEnded, match="quiet"):
            await tried.next()


async def test_quiet_times_cost_no_message(market: AmqpMarket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "QUIET_SECONDS", 0.01)
    publisher = market.bus(market.aggregator)
    stream = market.bus(market.owner).deliveries("data_owner", market.owner)
    for number in range(12):
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(number / 500)  # anywhere between two consumers
        await publisher.publish(
            outgoing("data_owner", market.aggregator, market.owner, sealed=bytes([number]))
        )
        delivery = await asyncio.wait_for(reading, 30)
        assert delivery.body == bytes([number])
        await delivery.ack()


async def test_a_way_to_the_broker_that_hangs_is_left(market: AmqpMarket) -> None:
    async with hanging_proxy(market.server.amqp_url) as proxy:
        config = market.config(market.buyer)
        way = config.model_copy(update={"url": config.url.replace(proxy.broker, proxy.place)})
        bus = amqp.AmqpBus(way, publish_seconds=1.0, attempts=3)
        await bus.publish(outgoing("federated_aggregator", market.buyer, market.aggregator))
        proxy.hang()
        await bus.publish(outgoing("federated_aggregator", market.buyer, market.aggregator))
        assert await market.depth(queue_name("federated_aggregator", market.aggregator)) == 2
        assert proxy.connections == 2
        await bus.close()


async def test_a_wrong_password_is_told_at_once(market: AmqpMarket) -> None:
    config = market.config(market.owner)
    wrong = Broker(url=config.url, password_file=market.config(market.buyer).password_file)
    bus = amqp.AmqpBus(wrong)
    with pytest.raises(BusRefused, match=market.owner):
        await bus.connect()
    with pytest.raises(BusRefused):
        await next_of(bus.deliveries("data_owner", market.owner))
    await bus.close()


async def test_a_broker_that_is_not_there_is_given_up_after_a_bound() -> None:
    bus = amqp.AmqpBus(Broker(url="amqp://127.0.0.1:9"), attempts=2)
    with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:9"):
        await bus.connect()
    with pytest.raises(BusUnavailable, match="2 attempts"):
        await bus.publish(outgoing("data_owner", address(), address()))
    await bus.close()


async def test_events_are_readable_as_packed(market: AmqpMarket) -> None:
    await market.bus(market.listener).publish_event(chain_event(9), "confirmed")
    name = event_queue_name("confirmed", market.owner)
    queue = await (await market.channel()).get_queue(name, ensure=False)
    seen = await queue.get(no_ack=True)
    assert seen.body == pack(chain_event(9))
    assert (seen.type, seen.correlation_id, seen.routing_key) == ("Closed", "9", "confirmed.Closed.9")
