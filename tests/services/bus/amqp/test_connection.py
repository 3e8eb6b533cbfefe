"""What needs a broker that can be killed, or that asks for certificates: one of this process' own."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from aiormq.base import FutureStore
from yarl import URL

from services.bus.amqp.amqp_bus import AmqpBus
from services.bus.amqp.connection import BROKER_ERRORS, ClosingConnection, bounded_request
from services.bus.port import BusRefused, BusUnavailable, Outgoing, read_envelope
from services.common.errors import ConfigurationError
from services.config.daemons import Broker
from tests.support.broker.amqp_market import AmqpMarket, address, amqp_market
from tests.support.broker.bus_messages import outgoing
from tests.support.broker.certificates import Authority
from tests.support.broker.own_rabbitmq import OwnBroker


async def publish_all(bus: AmqpBus, messages: list[Outgoing], confirmed: asyncio.Queue[int]) -> None:
    """As the outbox does: in order, each until the broker has it."""
    for number, message in enumerate(messages):
        while True:
            with suppress(BusUnavailable):
                await bus.publish(message)
                break
        confirmed.put_nowait(number)


async def read_all(bus: AmqpBus, reader: str, wanted: set[bytes]) -> None:
    """As the inbox does: ack what arrived; until nothing is missing."""
    missing = set(wanted)
    async for delivery in bus.deliveries("federated_aggregator", reader):
        missing.discard(read_envelope(delivery.envelope_fields).message_id)
        await delivery.ack()
        if not missing:
            return


async def test_what_waits_on_a_closed_channel_is_told_of_a_loss() -> None:
    waiting = FutureStore(asyncio.get_running_loop())
    await waiting.reject_all(None)  # as aiormq does with a channel that is closed without a reason
    with pytest.raises(BROKER_ERRORS):
        async with bounded_request():
            await waiting.create_future()


async def test_a_fault_of_ours_is_not_taken_for_a_loss() -> None:
    with pytest.raises(ZeroDivisionError):
        async with bounded_request():
            raise ZeroDivisionError


async def test_a_connection_that_could_not_be_made_is_closed() -> None:
    connection = ClosingConnection(URL("amqp://127.0.0.1:1/"))
    with pytest.raises(BROKER_ERRORS):
        await connection.connect()
    assert connection.is_closed


async def test_a_killed_broker_loses_nothing(own: OwnBroker, tmp_path: Path) -> None:
    participants = [("model_buyer", address()), ("federated_aggregator", address())]
    async with amqp_market(own.broker.server, participants, tmp_path) as market:
        messages = [
            outgoing("federated_aggregator", market.buyer, market.aggregator, sealed=bytes([n]) * 2000)
            for n in range(60)
        ]
        large = outgoing("federated_aggregator", market.buyer, market.aggregator, sealed=bytes(3 << 20))
        messages.insert(25, large)
        wanted = {message.envelope.message_id for message in messages}
        confirmed: asyncio.Queue[int] = asyncio.Queue()
        publisher = market.bus(market.buyer, publish_seconds=5.0)
        async with asyncio.timeout(300), asyncio.TaskGroup() as tasks:
            tasks.create_task(publish_all(publisher, messages, confirmed))
            while await confirmed.get() < 20:
                pass
            await asyncio.to_thread(own.broker.kill)  # with messages stored, and one on its way
            reading = tasks.create_task(read_all(market.bus(market.aggregator), market.aggregator, wanted))
            await asyncio.to_thread(own.broker.start)
            while await confirmed.get() < 40:
                pass
            assert not reading.done()


def tls(own: OwnBroker, user: str, certificate: tuple[Path, Path] | None, vhost: str) -> Broker:
    host = str(own.broker.server.amqps_url).removeprefix("amqps://")
    files = {} if certificate is None else {"certificate_file": certificate[0], "key_file": certificate[1]}
    return Broker(url=f"amqps://{user}@{host}/{vhost}", ca_file=own.authority.certificate, **files)


async def exchange(market: AmqpMarket, broker: Broker) -> None:
    """The buyer sends the aggregator a message through this connection, both ways under TLS."""
    bus = AmqpBus(broker)
    try:
        sent = outgoing("federated_aggregator", market.buyer, market.aggregator)
        await bus.publish(sent)
        stream = market.bus(market.aggregator).deliveries("federated_aggregator", market.aggregator)
        delivery = await asyncio.wait_for(anext(stream), 300)
        assert read_envelope(delivery.envelope_fields) == sent.envelope
        await delivery.ack()
    finally:
        await bus.close()


async def test_a_client_certificate_is_a_login(own: OwnBroker, tmp_path: Path) -> None:
    participants = [("model_buyer", address()), ("federated_aggregator", address())]
    async with amqp_market(own.broker.server, participants, tmp_path) as market:
        buyer = own.authority.issue(market.buyer)
        await exchange(market, tls(own, market.buyer, buyer, market.vhost))

        with_password = tls(own, market.buyer, own.authority.issue("somebody"), market.vhost)
        password_file = market.config(market.buyer).password_file
        await exchange(market, with_password.model_copy(update={"password_file": password_file}))

        stranger = AmqpBus(tls(own, market.buyer, own.authority.issue(address()), market.vhost))
        with pytest.raises(BusRefused, match="does not let"):
            await stranger.connect()
        await stranger.close()


async def test_a_certificate_names_its_user_whatever_the_url_says(own: OwnBroker, tmp_path: Path) -> None:
    participants = [("model_buyer", address()), ("federated_aggregator", address())]
    async with amqp_market(own.broker.server, participants, tmp_path) as market:
        certificate = own.authority.issue(market.aggregator)
        bus = AmqpBus(tls(own, market.buyer, certificate, market.vhost))
        with pytest.raises(BusRefused):
            await bus.publish(outgoing("federated_aggregator", market.buyer, market.aggregator))
        await bus.close()


async def test_without_a_certificate_nobody_gets_in(own: OwnBroker) -> None:
    bus = AmqpBus(tls(own, "guest", None, ""))
    with pytest.raises((BusUnavailable, BusRefused)):
        await bus.connect()
    await bus.close()


async def test_a_broker_of_another_authority_is_refused(own: OwnBroker, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    config = tls(own, "guest", other.issue("guest"), "").model_copy(update={"ca_file": other.certificate})
    bus = AmqpBus(config)
    with pytest.raises(BusRefused, match="no authority in ca_file"):
        await bus.connect()
    await bus.close()


def test_unusable_files_are_told(own: OwnBroker, tmp_path: Path) -> None:
    certificate, key = own.authority.issue("guest")
    config = tls(own, "guest", (certificate, key), "")
    with pytest.raises(ConfigurationError, match="together"):
        AmqpBus(config.model_copy(update={"key_file": None}))
    with pytest.raises(ConfigurationError, match="missing"):
        AmqpBus(config.model_copy(update={"ca_file": tmp_path / "missing"}))
    with pytest.raises(ConfigurationError, match="amqps"):
        AmqpBus(config.model_copy(update={"url": "amqp://guest@localhost"}))
    key.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod"):
        AmqpBus(config)
