"""What a participant with a login of its own cannot do on a real broker, whatever its program."""

import base64
from collections.abc import Awaitable, Callable
from typing import get_args

import aio_pika
import aiohttp
import pytest
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, ChannelClosed, ChannelPreconditionFailed
from aiormq.exceptions import ChannelAccessRefused
from yarl import URL

from protocol.marketplace import PartyRole
from protocol.messages import MESSAGE_TYPES
from services.bus.naming import (
    CHAIN_EXCHANGE,
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    EXCHANGE,
    dead_key,
    event_key,
    event_queue_name,
    message_key,
    queue_name,
)
from services.bus.port import BusRefused
from tests.support.broker.amqp_market import AmqpMarket
from tests.support.broker.bus_messages import chain_event, outgoing

ROLES = get_args(PartyRole)


async def publish(
    channel: AbstractChannel, exchange: str, key: str, body: bytes = b"x", user: str | None = None
) -> None:
    """Publish and wait for the broker's word."""
    target = channel.default_exchange if not exchange else await channel.get_exchange(exchange, ensure=False)
    await target.publish(aio_pika.Message(body, user_id=user), key)


async def test_every_role_can_send_what_the_protocol_lets_it_and_nothing_else(market: AmqpMarket) -> None:
    """Orders go to oneself alone, and here the last of two owners sends to the first: they do not pass."""
    wrong = []
    for sender in ROLES:
        user = market.of_role(sender)[-1]
        channel = await market.channel(user)
        for message_type, kind in MESSAGE_TYPES.items():
            routes = kind.catalogue.routes
            for recipient in ROLES:
                to = market.of_role(recipient)[0]
                allowed = (sender, recipient) in routes or (user == to and ("operator", recipient) in routes)
                try:
                    await publish(channel, EXCHANGE, message_key(recipient, to, message_type))
                    passed = True
                except ChannelAccessRefused:
                    passed = False
                    await channel.reopen()
                if passed != allowed:
                    wrong.append((sender, recipient, message_type))
    assert wrong == []


@pytest.mark.parametrize(
    ("role", "message_type"),
    [("model_buyer", "training_order"), ("model_buyer", "stop_order"), ("data_owner", "owner_decision")],
)
async def test_orders_go_to_oneself_alone(market: AmqpMarket, role: str, message_type: str) -> None:
    own = market.of_role(role)[-1]
    await market.bus(own).publish(outgoing(role, own, own, message_type))
    with pytest.raises(BusRefused):
        await market.bus(market.aggregator).publish(outgoing(role, market.aggregator, own, message_type))
    if role == "data_owner":
        with pytest.raises(BusRefused):
            await market.bus(own).publish(outgoing(role, own, market.owner, message_type))


async def test_nobody_speaks_for_another(market: AmqpMarket) -> None:
    channel = await market.channel(market.owner)
    key = message_key("federated_aggregator", market.aggregator, "complaint")
    await publish(channel, EXCHANGE, key, user=market.owner)
    with pytest.raises(ChannelPreconditionFailed, match="user_id"):
        await publish(channel, EXCHANGE, key, user=market.buyer)


async def test_a_refusal_leaves_the_bus_usable(market: AmqpMarket) -> None:
    bus = market.bus(market.owner)
    with pytest.raises(BusRefused, match="refuses"):
        await bus.publish(outgoing("data_owner", market.owner, market.of_role("data_owner")[1], "opening"))
    await bus.publish(outgoing("federated_aggregator", market.owner, market.aggregator))
    assert bus.messages_published == 1


async def test_keys_that_only_begin_rightly_are_refused(market: AmqpMarket) -> None:
    channel = await market.channel(market.owner)
    place = f"federated_aggregator.{market.aggregator}"
    for key in (f"{place}.complaint.x", f"x.{place}.complaint", f"{place}.complaints", place, "#", ""):
        with pytest.raises(ChannelAccessRefused):
            await publish(channel, EXCHANGE, key)
        await channel.reopen()


async def test_other_exchanges_are_closed(market: AmqpMarket) -> None:
    channel = await market.channel(market.owner)
    elsewhere = [
        ("", queue_name("federated_aggregator", market.aggregator)),
        ("", queue_name("data_owner", market.owner)),
        ("amq.topic", "x"),
        ("amq.fanout", "x"),
        (CHAIN_EXCHANGE, event_key("confirmed", "Closed", 1)),
        (DEAD_EXCHANGE, dead_key(market.buyer, "bad_signature")),
    ]
    for exchange, key in elsewhere:
        with pytest.raises(ChannelAccessRefused):
            await publish(channel, exchange, key)
        await channel.reopen()
    with pytest.raises(BusRefused):
        await market.bus(market.owner).publish_event(chain_event(1), "confirmed")


async def test_other_queues_cannot_be_read(market: AmqpMarket) -> None:
    channel = await market.channel(market.owner)
    others = [
        queue_name("data_owner", market.of_role("data_owner")[1]),
        queue_name("model_buyer", market.buyer),
        event_queue_name("confirmed", market.buyer),
        event_queue_name("seen", market.buyer),
        DEAD_QUEUE,
    ]
    for name in others:
        queue = await channel.get_queue(name, ensure=False)
        for read in (lambda queue=queue: queue.get(fail=False), lambda queue=queue: queue.consume(print)):
            with pytest.raises(ChannelAccessRefused):
                await read()
            await channel.reopen()


def attempts(market: AmqpMarket, channel: AbstractChannel) -> dict[str, Callable[[], Awaitable[object]]]:
    """Everything that configures a broker, tried on one's own things and on others'."""
    own = queue_name("data_owner", market.owner)

    async def raw(method: str, *arguments: str, **options: object) -> None:
        await getattr(await channel.get_underlay_channel(), method)(*arguments, **options)

    durable = {"durable": True}
    return {
        "new queue": lambda: raw("queue_declare", "deltaml.data_owner.mine", **durable),
        "new queue with a name by the broker": lambda: raw("queue_declare", "", exclusive=True),
        "own queue again": lambda: raw("queue_declare", own, arguments={"x-queue-type": "quorum"}, **durable),
        "new exchange": lambda: raw("exchange_declare", exchange="mine", exchange_type="fanout"),
        "tap on the messages": lambda: raw("queue_bind", own, EXCHANGE, "#"),
        "tap on the events": lambda: raw("queue_bind", own, CHAIN_EXCHANGE, "#"),
        "unbound queue": lambda: raw("queue_unbind", own, EXCHANGE, f"data_owner.{market.owner}.*"),
        "exchange to exchange": lambda: raw(
            "exchange_bind", destination=DEAD_EXCHANGE, source=EXCHANGE, routing_key="#"
        ),
        "removed queue": lambda: raw("queue_delete", own),
        "removed queue of another": lambda: raw("queue_delete", queue_name("model_buyer", market.buyer)),
        "removed exchange": lambda: raw("exchange_delete", EXCHANGE),
        "purged queue of another": lambda: raw("queue_purge", queue_name("model_buyer", market.buyer)),
        "purged dead letters": lambda: raw("queue_purge", DEAD_QUEUE),
    }


async def test_nothing_can_be_configured(market: AmqpMarket) -> None:
    channel = await market.channel(market.owner)
    passed = []
    for name, attempt in attempts(market, channel).items():
        try:
            await attempt()
            passed.append(name)
        except ChannelClosed as error:
            if not isinstance(error, ChannelAccessRefused):
                passed.append(f"{name}: {error!r}")
            await channel.reopen()
    assert passed == []
    assert [one for one in await market.plan() if one.action != "look"] == []


async def test_a_chain_listener_publishes_events_and_nothing_else(market: AmqpMarket) -> None:
    channel = await market.channel(market.listener)
    for exchange, key in (
        (EXCHANGE, message_key("model_buyer", market.buyer, "complaint")),
        (DEAD_EXCHANGE, dead_key(market.buyer, "x")),
        (CHAIN_EXCHANGE, "elsewhere.Closed.1"),
        ("", queue_name("model_buyer", market.buyer)),
    ):
        with pytest.raises(ChannelAccessRefused):
            await publish(channel, exchange, key)
        await channel.reopen()
    queue = await channel.get_queue(event_queue_name("confirmed", market.buyer), ensure=False)
    with pytest.raises(ChannelAccessRefused):
        await queue.get()


async def test_a_login_opens_one_virtual_host_and_no_management(market: AmqpMarket) -> None:
    password = market.password(market.owner)
    url = URL(market.server.amqp_url).with_user(market.owner).with_password(password)
    with pytest.raises(CONNECTION_EXCEPTIONS):
        await aio_pika.connect(url.with_path("//"))
    login = base64.b64encode(f"{market.owner}:{password}".encode()).decode()
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Basic {login}"}) as session,
        session.get(f"{market.server.management_url}/api/overview") as answer,
    ):
        assert answer.status in {401, 403}
