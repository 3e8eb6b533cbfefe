"""What a participant with a login of its own tries on a real broker beyond its rights and its share."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, DeliveryError
from yarl import URL

from services.bus.amqp.dead_letters import LETTERS_AT_ONCE
from services.bus.amqp.message_properties import event_message_of, message_of
from services.bus.broker.message_size import message_size_differences
from services.bus.broker.provisioning import BrokerPlan
from services.bus.broker.topology import MESSAGE_BYTES, USER_LIMITS
from services.bus.naming import (
    CHAIN_EXCHANGE,
    EXCHANGE,
    event_key,
    event_queue_name,
    message_key,
    queue_name,
)
from services.bus.port import BusUnavailable, Outgoing
from tests.support.broker.amqp_market import AmqpMarket, address, amqp_market, management_access, next_of
from tests.support.broker.bus_messages import chain_event, outgoing
from tests.support.broker.rabbitmq import Server

ROLES = ("model_buyer", "federated_aggregator", "data_owner", "data_owner")


@pytest.fixture
async def market(rabbitmq: Server, tmp_path: Path) -> AsyncIterator[AmqpMarket]:
    """A buyer, an aggregator and two owners, provisioned as an administrator would."""
    async with amqp_market(rabbitmq, [(role, address()) for role in ROLES], tmp_path) as provisioned:
        yield provisioned


async def smuggle(market: AmqpMarket, message: Outgoing, header: str, message_type: str) -> None:
    """Have the second owner publish under a key that it may use, with a copy to one that it may not."""
    thief = market.of_role("data_owner")[1]
    exchange = await (await market.channel(thief)).get_exchange(EXCHANGE, ensure=False)
    copy = message_key(message.recipient_role, message.envelope.recipient, message_type)
    smuggled = message_of(message.envelope, message.sealed, user=thief, headers={header: [copy]})
    await exchange.publish(smuggled, message_key("federated_aggregator", market.aggregator, "complaint"))


@pytest.mark.parametrize(("header", "code"), [("CC", "copied"), ("BCC", "wrong_key")])
async def test_a_copy_to_a_key_that_its_sender_may_not_use_is_refused(
    market: AmqpMarket, header: str, code: str
) -> None:
    """An owner may not send an opening; the broker's topic permissions do not look at copies."""
    thief = market.of_role("data_owner")[1]
    message = outgoing("data_owner", thief, market.owner, "opening")
    await smuggle(market, message, header, "opening")
    assert await market.depth(queue_name("data_owner", market.owner)) == 1
    honest = outgoing("data_owner", market.aggregator, market.owner)
    await market.bus(market.aggregator).publish(honest)
    bus = market.bus(market.owner)
    delivery = await next_of(bus.deliveries("data_owner", market.owner))
    assert delivery.envelope_fields["message_id"] == honest.envelope.message_id
    [letter] = await market.dead_letters()
    assert (letter.headers["code"], letter.headers["reason"]) == (code, "unauthenticated")
    assert bus.dead_letters == {code: 1}


async def test_the_original_of_a_copy_is_refused_where_its_header_shows_it(market: AmqpMarket) -> None:
    thief = market.of_role("data_owner")[1]
    await smuggle(market, outgoing("data_owner", thief, market.owner, "opening"), "CC", "opening")
    bus = market.bus(market.aggregator)
    receiving = asyncio.create_task(anext(bus.deliveries("federated_aggregator", market.aggregator)))
    [letter] = await market.dead_letters()
    assert letter.headers["code"] == "copied"
    receiving.cancel()


async def test_a_message_of_another_type_than_its_key_is_refused(market: AmqpMarket) -> None:
    """Permissions are given for keys: what calls itself an opening must have come by the key of one."""
    message = outgoing("federated_aggregator", market.owner, market.aggregator, "round_completed")
    exchange = await (await market.channel(market.owner)).get_exchange(EXCHANGE, ensure=False)
    forged = message_of(message.envelope, b"sealed", user=market.owner)
    await exchange.publish(forged, message_key("federated_aggregator", market.aggregator, "complaint"))
    receiving = asyncio.create_task(
        anext(market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator))
    )
    [letter] = await market.dead_letters()
    assert letter.headers["code"] == "wrong_key"
    receiving.cancel()


async def test_an_event_that_is_copied_to_another_stream_is_refused_there(market: AmqpMarket) -> None:
    channel = await market.channel(market.listener)
    exchange = await channel.get_exchange(CHAIN_EXCHANGE, ensure=False)
    event = chain_event(7)
    bus = market.bus(market.listener)
    copy = event_key("confirmed", "Closed", 7)
    smuggled = event_message_of(event, "seen")
    smuggled.headers["BCC"] = [copy]
    await exchange.publish(smuggled, event_key("seen", "Closed", 7))
    assert await market.depth(event_queue_name("confirmed", market.buyer)) == 1
    await bus.publish_event(chain_event(8), "confirmed")
    delivery = await next_of(market.bus(market.buyer).events("confirmed", market.buyer))
    assert delivery.event.block_number == 8
    [letter] = await market.dead_letters()
    assert letter.headers["code"] == "wrong_key"


async def test_a_flood_beyond_its_senders_share_is_counted_and_dropped(market: AmqpMarket) -> None:
    """Its refused messages cost the others neither their dead letters nor their turn."""
    bus, flood = market.bus(market.aggregator), LETTERS_AT_ONCE + 50
    deliveries = bus.deliveries("federated_aggregator", market.aggregator)
    exchange = await (await market.channel(market.owner)).get_exchange(EXCHANGE, ensure=False)
    for _ in range(flood):
        message = outgoing("federated_aggregator", market.owner, market.aggregator)
        forged = message_of(message.envelope, b"forged", user=market.owner)
        await exchange.publish(forged, message_key("federated_aggregator", market.aggregator, "complaint"))
    await market.bus(market.buyer).publish(outgoing("federated_aggregator", market.buyer, market.aggregator))
    for _ in range(flood):
        await (await next_of(deliveries)).dead_letter("bad_signature", "forged")
    honest = await next_of(deliveries)
    assert honest.envelope_fields["sender"] == market.buyer
    await honest.dead_letter("bad_signature", "another sender has a share of its own")
    assert bus.dead_letters == {"bad_signature": flood + 1}
    assert 40 <= bus.dropped[market.owner] <= 50  # some of the share comes back while it is used
    kept = flood - bus.dropped[market.owner] + 1
    letters = await market.dead_letters(kept)
    assert letters[-1].headers["sent_as"] == market.buyer


async def test_a_full_queue_refuses_the_flood_and_keeps_what_honest_senders_put_there(
    market: AmqpMarket,
) -> None:
    queue = queue_name("federated_aggregator", market.aggregator)
    [planned] = [one for one in market.topology.policies if one["name"] == "deltaml-queues"]
    small = {**planned, "priority": 99, "definition": {**planned["definition"], "max-length": 20}}
    await market.api.put("policies", market.vhost, "small", body=small)
    honest = outgoing("federated_aggregator", market.buyer, market.aggregator)
    await market.bus(market.buyer).publish(honest)
    exchange = await (await market.channel(market.owner)).get_exchange(EXCHANGE, ensure=False)
    key = message_key("federated_aggregator", market.aggregator, "complaint")

    async def flood() -> None:
        for _ in range(1000):
            message = outgoing("federated_aggregator", market.owner, market.aggregator)
            await exchange.publish(message_of(message.envelope, b"x", user=market.owner), key)

    with pytest.raises(DeliveryError):
        await flood()
    assert await market.depth(queue) < 1000
    first = await next_of(market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator))
    assert first.envelope_fields["message_id"] == honest.envelope.message_id


def test_the_brokers_settings_take_no_longer_message_than_the_longest_part() -> None:
    lines = (Path(__file__).parents[2] / "deploy/rabbitmq/rabbitmq.conf").read_text().splitlines()
    assert f"max_message_size = {MESSAGE_BYTES}" in lines


async def test_a_broker_that_takes_longer_messages_is_told_by_the_plan(
    market: AmqpMarket, tmp_path: Path
) -> None:
    """The tests' broker takes messages of 2 MiB."""
    places = market.places.model_dump()
    management = management_access(market.server, tmp_path).model_dump()
    plan = BrokerPlan.model_validate(
        {**places, "management": management, "amqp": {"url": market.server.amqp_url}}
    )
    [found] = await message_size_differences(plan)
    assert (found.action, found.name) == ("look", "max_message_size")
    assert f"set it to {MESSAGE_BYTES}" in found.detail
    users = [user["name"] for user in await market.api.get("users")]
    assert not [name for name in users if name.startswith("deltaml-admin-")]


async def test_a_user_has_so_many_connections_and_no_more(market: AmqpMarket) -> None:
    opened: list[AbstractChannel] = []

    async def open_one_after_another() -> None:
        while len(opened) < 10 * USER_LIMITS["max-connections"]:
            opened.append(await market.channel(market.owner))

    with pytest.raises(CONNECTION_EXCEPTIONS):
        await open_one_after_another()
    assert len(opened) <= USER_LIMITS["max-connections"]
    with pytest.raises(BusUnavailable, match="no more connections"):
        await market.bus(market.owner).connect()
    await market.bus(market.buyer).connect()  # who is within its own limits notices nothing


async def test_a_user_opens_so_many_channels_and_no_more(market: AmqpMarket) -> None:
    url = URL(market.server.amqp_url).with_path(f"/{market.vhost}")
    url = url.with_user(market.owner).with_password(market.password(market.owner))
    opened: list[AbstractChannel] = []

    async def open_one_after_another() -> None:
        while len(opened) < 10 * USER_LIMITS["max-channels"]:
            opened.append(await connection.channel())

    async with await aio_pika.connect(url) as connection:
        with pytest.raises(CONNECTION_EXCEPTIONS):
            await open_one_after_another()
    assert len(opened) <= USER_LIMITS["max-channels"]
