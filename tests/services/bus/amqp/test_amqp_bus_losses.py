"""Losses: queues, connections and ways to the broker that go, and a consumer that would never notice."""

import asyncio
from urllib.parse import urlsplit

import pytest

from services.bus.amqp.amqp_bus import AmqpBus
from services.bus.amqp.connection import Connection
from services.bus.amqp.consumer import Consumer, ConsumerEnded
from services.bus.amqp.timing import Timing
from services.bus.naming import event_queue_name, queue_name
from services.bus.port import BusRefused, BusUnavailable, QueueFull, read_envelope
from services.config.daemons import Broker
from tests.faults.proxy import LinkProxy
from tests.support.broker.amqp_market import AmqpMarket, address, next_of
from tests.support.broker.bus_messages import chain_event, outgoing
from tests.support.broker.hanging_proxy import HangingProxy, hanging_proxy
from tests.support.daemons.real_log import real_log


async def test_a_consumer_whose_queue_was_removed_finds_the_new_one(market: AmqpMarket) -> None:
    stream = market.bus(market.owner, quiet_seconds=0.5).deliveries("data_owner", market.owner)
    publisher = market.bus(market.aggregator)
    await publisher.publish(outgoing("data_owner", market.aggregator, market.owner))
    await (await next_of(stream)).ack()
    reading = asyncio.ensure_future(anext(stream))
    await market.api.delete("queues", market.vhost, queue_name("data_owner", market.owner))
    await market.apply()
    sent = outgoing("data_owner", market.aggregator, market.owner)
    await publisher.publish(sent)
    delivery = await asyncio.wait_for(reading, 300)
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


async def test_a_consumer_that_is_quiet_makes_way_unless_something_is_unacked(market: AmqpMarket) -> None:
    await market.bus(market.listener).publish_event(chain_event(1), "confirmed")
    async with Connection(market.config(market.owner), "test") as connection:
        queue = event_queue_name("confirmed", market.owner)
        tried = Consumer(await connection.channel(), queue, Timing(quiet_seconds=0.1))
        await tried.start()
        message = await tried.next()
        assert message is not None
        assert await tried.next() is None
        await message.ack()
        with pytest.raises(ConsumerEnded, match="quiet"):
            await tried.next()


async def test_quiet_times_cost_no_message(market: AmqpMarket) -> None:
    publisher = market.bus(market.aggregator)
    stream = market.bus(market.owner, quiet_seconds=0.01).deliveries("data_owner", market.owner)
    for number in range(12):
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(number / 500)  # anywhere between two consumers
        await publisher.publish(
            outgoing("data_owner", market.aggregator, market.owner, sealed=bytes([number]))
        )
        delivery = await asyncio.wait_for(reading, 300)
        assert delivery.body == bytes([number])
        await delivery.ack()


def by_way_of(proxy: HangingProxy, market: AmqpMarket) -> Broker:
    """The buyer's settings with the proxy for the broker."""
    config = market.config(market.buyer)
    return config.model_copy(update={"url": config.url.replace(proxy.broker, proxy.place)})


async def test_a_way_to_the_broker_that_hangs_is_left(market: AmqpMarket) -> None:
    async with hanging_proxy(market.server.amqp_url) as proxy:
        bus = AmqpBus(by_way_of(proxy, market), Timing(publish_seconds=4.0, publish_attempts=3))
        await bus.publish(outgoing("federated_aggregator", market.buyer, market.aggregator))
        proxy.hang()
        await bus.publish(outgoing("federated_aggregator", market.buyer, market.aggregator))
        assert await market.depth(queue_name("federated_aggregator", market.aggregator)) == 2
        assert proxy.connections == 2
        await bus.close()


@pytest.mark.parametrize("begun", ["before", "meanwhile"])
async def test_a_message_under_way_outlives_its_connection(market: AmqpMarket, begun: str) -> None:
    """A health check that finds the way to the broker hanging leaves the connection of everybody."""
    async with hanging_proxy(market.server.amqp_url) as proxy:
        bus = AmqpBus(by_way_of(proxy, market), Timing(publish_seconds=5.0))
        await bus.publish(outgoing("federated_aggregator", market.buyer, market.aggregator))
        proxy.hang()
        message = outgoing("federated_aggregator", market.buyer, market.aggregator)
        work = [bus.publish(message), bus._writing.reset()]
        if begun == "meanwhile":
            work.reverse()
        tasks = []
        for one in work:
            tasks.append(asyncio.create_task(one))
            await asyncio.sleep(0.2)
        async with asyncio.timeout(300):
            await asyncio.wait(tasks)
        assert not any(task.cancelled() for task in tasks)
        assert await market.depth(queue_name("federated_aggregator", market.aggregator)) == 2
        await bus.close()


async def test_a_wrong_password_is_told_at_once(market: AmqpMarket) -> None:
    config = market.config(market.owner)
    wrong = Broker(url=config.url, password_file=market.config(market.buyer).password_file)
    bus = AmqpBus(wrong)
    with pytest.raises(BusRefused, match=market.owner):
        await bus.connect()
    with pytest.raises(BusRefused):
        await next_of(bus.deliveries("data_owner", market.owner))
    await bus.close()


async def test_a_broker_that_is_not_there_is_given_up_after_a_bound() -> None:
    bus = AmqpBus(Broker(url="amqp://127.0.0.1:9"), Timing(publish_attempts=2))
    with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:9"):
        await bus.connect()
    with pytest.raises(BusUnavailable, match="2 attempts"):
        await bus.publish(outgoing("data_owner", address(), address()))
    await bus.close()


async def test_a_broker_that_is_away_is_told_once_however_often_it_is_tried(market: AmqpMarket) -> None:
    proxy = LinkProxy(urlsplit(market.server.amqp_url).port or 5672)
    await proxy.start()
    config = market.config(market.owner)
    place = config.url.replace(urlsplit(config.url).netloc.rpartition("@")[2], f"127.0.0.1:{proxy.port}")
    with real_log() as log:
        bus = AmqpBus(config.model_copy(update={"url": place}), Timing(publish_attempts=2))
        reading = asyncio.create_task(next_of(bus.deliveries("data_owner", market.owner)))
        events = asyncio.create_task(next_of(bus.events("confirmed", market.owner)))
        question = outgoing("federated_aggregator", market.owner, market.aggregator)
        await bus.publish(question)
        proxy.cut()
        for _ in range(6):
            with pytest.raises(BusUnavailable):
                await bus.publish(question)
            with pytest.raises(BusUnavailable):
                await bus.connect()
        assert proxy.counts["refused"] > 18  # the consumers tried as well
        proxy.heal()
        await market.bus(market.aggregator).publish(outgoing("data_owner", market.aggregator, market.owner))
        await market.bus(market.listener).publish_event(chain_event(1), "confirmed")
        await reading
        await events
        await bus.publish(question)
        await bus.close()
    await proxy.close()
    assert log.troubles() == ["broker_away", "broker_back"]
    assert log.lines[0]["reason"].startswith(f"the broker at 127.0.0.1:{proxy.port} does not answer (")
    assert log.lines[1]["attempts"] > 18


async def test_a_full_queue_is_told_apart_from_a_broker_that_is_away(market: AmqpMarket) -> None:
    [planned] = [one for one in market.topology.policies if one["name"] == "deltaml-queues"]
    small = {**planned, "priority": 99, "definition": {**planned["definition"], "max-length": 1}}
    await market.api.put("policies", market.vhost, "small", body=small)
    with real_log() as log:
        bus = AmqpBus(market.config(market.buyer), Timing(publish_attempts=2))

        async def fill() -> None:
            for _ in range(1000):
                await bus.publish(outgoing("federated_aggregator", market.buyer, market.aggregator))

        with pytest.raises(QueueFull, match="not confirmed after 2 attempts"):
            await fill()
        await bus.close()
    assert "publishing_fails" in log.troubles()
    assert "broker_away" not in log.troubles()
    assert "is full: its daemon is away or too slow" in log.lines[0]["reason"]
