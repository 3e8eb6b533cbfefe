"""Large bodies on a real broker: in parts, whole on arrival, and bounded for each sender."""

import asyncio

import pytest

from protocol.messages import MAXIMUM_BODY_BYTES
from services.bus.amqp.chunking import CHUNK_BYTES, MAXIMUM_INCOMPLETE
from services.bus.amqp.message_properties import message_of
from services.bus.naming import message_key, queue_name
from services.bus.port import Outgoing, read_envelope
from tests.support.broker.amqp_market import AmqpMarket, next_of
from tests.support.broker.bus_messages import outgoing


async def test_a_large_body_travels_in_parts_and_arrives_whole(market: AmqpMarket) -> None:
    sealed = b"".join(bytes([number]) * CHUNK_BYTES for number in range(3)) + b"end"
    sent = outgoing("federated_aggregator", market.buyer, market.aggregator, sealed=sealed)
    await market.bus(market.buyer).publish(sent)
    name = queue_name("federated_aggregator", market.aggregator)
    bus = market.bus(market.aggregator)
    stream = bus.deliveries("federated_aggregator", market.aggregator)
    delivery = await next_of(stream)
    assert delivery.body == sealed
    assert read_envelope(delivery.envelope_fields) == sent.envelope
    await bus.close()
    async with asyncio.timeout(300):  # parts are acked only with the whole: the broker takes all of them back
        while await market.depth(name) != 4:
            await asyncio.sleep(0.05)
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


async def test_parts_that_wait_do_not_block_those_they_wait_for(market: AmqpMarket) -> None:
    messages = [
        outgoing("federated_aggregator", market.buyer, market.aggregator) for _ in range(MAXIMUM_INCOMPLETE)
    ]
    for part in (0, 1):
        for message in messages:
            await put_parts(market, message, [part])
    bus = market.bus(market.aggregator, prefetch=2)
    stream = bus.deliveries("federated_aggregator", market.aggregator)
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


async def test_an_abandoned_part_is_given_up_after_a_silence(market: AmqpMarket) -> None:
    message = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await put_parts(market, message, [0])
    bus = market.bus(market.aggregator, quiet_seconds=0.1, incomplete_seconds=0.3)
    stream = bus.deliveries("federated_aggregator", market.aggregator)
    reading = asyncio.ensure_future(anext(stream))
    [letter] = await market.dead_letters()
    assert letter.headers["code"] == "incomplete"
    await put_parts(market, message, [0, 1])
    assert (await asyncio.wait_for(reading, 300)).body == b"\0\1"


@pytest.mark.parametrize(
    "headers", [{"part": 2, "parts": 2}, {"part": "0", "parts": 2}, {"part": 0, "parts": 1}]
)
async def test_malformed_parts_are_refused(market: AmqpMarket, headers: dict[str, object]) -> None:
    message = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await publish_raw(market, message, user=market.buyer, headers=headers)
    await refused(market, "malformed")


async def test_a_large_body_in_one_piece_is_refused(market: AmqpMarket) -> None:
    message = outgoing("federated_aggregator", market.buyer, market.aggregator, sealed=bytes(CHUNK_BYTES + 1))
    await publish_raw(market, message, user=market.buyer)
    await refused(market, "oversized")


async def test_more_parts_than_a_body_may_have_are_refused(market: AmqpMarket) -> None:
    message = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await publish_raw(
        market,
        message,
        user=market.buyer,
        headers={"part": 0, "parts": MAXIMUM_BODY_BYTES // CHUNK_BYTES + 1},
    )
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
