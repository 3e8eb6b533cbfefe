"""The bus on a real broker: what is published arrives, readable to operators; contract events too."""

import asyncio
from dataclasses import replace

import aio_pika
import pytest

from protocol.codec import pack, unpack
from protocol.envelope import VERSION
from protocol.messages import ChainEvent
from services.bus.naming import (
    CHAIN_EXCHANGE,
    DEAD_QUEUE,
    event_key,
    event_queue_name,
    message_key,
    queue_name,
)
from services.bus.port import BusRefused, Unroutable, read_envelope
from tests.support.broker.amqp_market import AmqpMarket, address, next_of
from tests.support.broker.bus_messages import chain_event, outgoing


async def test_a_message_arrives_as_it_was_sent(market: AmqpMarket) -> None:
    sent = outgoing("federated_aggregator", market.buyer, market.aggregator, training=7)
    bus = market.bus(market.buyer)
    await bus.publish(sent)
    stream = market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator)
    delivery = await next_of(stream)
    assert read_envelope(delivery.envelope_fields) == sent.envelope
    assert delivery.body == sent.sealed
    assert (bus.messages_published, bus.bytes_published) == (1, len(sent.sealed))


@pytest.mark.parametrize("size", [6, 3 * 2**20])
async def test_the_context_of_a_trace_travels_in_a_header(market: AmqpMarket, size: int) -> None:
    context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    bus = market.bus(market.buyer)
    stream = market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator)
    for trace, arrives in ((context, context), (None, None), ("no context", None)):
        sent = outgoing("federated_aggregator", market.buyer, market.aggregator, sealed=bytes(size))
        await bus.publish(replace(sent, trace=trace))
        delivery = await next_of(stream)
        assert delivery.trace == arrives
        assert read_envelope(delivery.envelope_fields) == sent.envelope
        await delivery.ack()


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
        "version": VERSION,
        "chain_id": sent.envelope.chain_id,
        "contract": sent.envelope.contract,
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
    await market.bus(market.aggregator).publish_dead_letter(sent.envelope, "late", "x" * 10_000)
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


async def test_a_refused_event_is_off_the_queue_and_among_the_dead(market: AmqpMarket) -> None:
    for number in (4, 5):
        await market.bus(market.listener).publish_event(chain_event(number), "confirmed")
    bus = market.bus(market.owner)
    stream = bus.events("confirmed", market.owner)
    await (await next_of(stream)).dead_letter("event_altered", "block 4")
    assert (await next_of(stream)).event == chain_event(5)
    [letter] = await market.dead_letters()
    headers = letter.headers
    assert (headers["reason"], headers["code"]) == ("unauthenticated", "event_altered")
    assert (headers["detail"], letter.routing_key) == ("block 4", f"{market.owner}.event_altered")
    assert unpack(ChainEvent, letter.body) == chain_event(4)
    assert bus.dead_letters == {"event_altered": 1}


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


async def test_what_is_merely_seen_makes_room_without_a_letter(market: AmqpMarket) -> None:
    policies = {one["name"]: one for one in await market.api.get("policies", market.vhost)}
    policy = policies["deltaml-seen"]
    fewer = {**policy, "definition": {**policy["definition"], "max-length": 2}}
    await market.api.put("policies", market.vhost, "deltaml-seen", body=fewer)
    listener = market.bus(market.listener)
    async with asyncio.timeout(300):
        number = 0
        while number < 5 or await market.depth(event_queue_name("seen", market.owner)) != 2:
            number += 1  # a policy takes effect a moment after it was put
            await listener.publish_event(chain_event(number), "seen")
    assert await market.depth(DEAD_QUEUE) == 0


async def test_events_are_readable_as_packed(market: AmqpMarket) -> None:
    await market.bus(market.listener).publish_event(chain_event(9), "confirmed")
    name = event_queue_name("confirmed", market.owner)
    queue = await (await market.channel()).get_queue(name, ensure=False)
    seen = await queue.get(no_ack=True)
    assert seen.body == pack(chain_event(9))
    assert (seen.type, seen.correlation_id, seen.routing_key) == ("Closed", "9", "confirmed.Closed.9")
