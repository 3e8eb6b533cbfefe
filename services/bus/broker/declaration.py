"""A market's exchanges and queues over AMQP alone, for a login that may configure: the demo on a real broker.

Daemons are provisioned through the management API (`provisioning.py`), with users and rights of their own;
here one login stands for everybody, which is good enough where everybody is one process.
"""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aio_pika import ExchangeType
from pydantic import ValidationError
from yarl import URL

from protocol.errors import MisuseError
from protocol.marketplace import PartyRole
from services.bus.amqp.connection import BROKER_ERRORS, Connection
from services.bus.broker.definitions import PLAIN_QUORUM
from services.bus.broker.topology import ParticipantPlace, Places, Topology, topology_of
from services.bus.naming import DEAD_QUEUE
from services.bus.port import BusUnavailable
from services.common.files import write_private
from services.config.daemons import Broker


@asynccontextmanager
async def declared(url: str, participants: Sequence[tuple[PartyRole, str]]) -> AsyncIterator[Broker]:
    """Declare what these (role, address) pairs need on the broker at `url`; the queues go with the block.

    Raises MisuseError for what is not a URL, BusRefused and BusUnavailable.
    """
    with tempfile.TemporaryDirectory(prefix="deltaml-") as folder:
        broker = _settings(url, Path(folder))
        places = Places(
            vhost="demo",
            participants=tuple(ParticipantPlace(role=role, address=who) for role, who in participants),
        )
        topology = topology_of(places)
        async with Connection(broker, "administrator") as connection:
            try:
                await _declare(connection, topology)
                yield broker
            finally:
                await _remove(connection, topology)


def _settings(url: str, folder: Path) -> Broker:
    """The connection's settings; a password moves from the URL into a file that only we can read."""
    try:
        parsed = URL(url)
        if parsed.password is None:
            return Broker(url=url)
        file = folder / "password"
        write_private(file, parsed.password.encode())
        return Broker(url=str(parsed.with_password(None)), password_file=file)
    except (ValidationError, ValueError):
        raise MisuseError(
            "--broker is not an AMQP URL; write it like amqp://user:password@localhost:5672/vhost"
        ) from None


async def _declare(connection: Connection, topology: Topology) -> None:
    channel = await connection.channel()
    try:
        for name in topology.exchanges:
            await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)
        for queue in topology.queues:
            await channel.declare_queue(queue, durable=True, arguments=dict(PLAIN_QUORUM))
        for binding in topology.bindings:
            queue_of = await channel.get_queue(binding.destination, ensure=False)
            await queue_of.bind(binding.source, binding.routing_key)
    except BROKER_ERRORS as error:
        raise BusUnavailable(
            f"the broker at {connection.place} did not let us declare a queue ({error}): "
            "use a login that may configure this virtual host"
        ) from None
    finally:
        await channel.close()


async def _remove(connection: Connection, topology: Topology) -> None:
    """Our participants' queues; the exchanges and the dead letters may be others' too."""
    with suppress(*BROKER_ERRORS, BusUnavailable):  # a broker that went away has nothing left to remove
        channel = await connection.channel()
        for queue in topology.queues:
            if queue != DEAD_QUEUE:
                await channel.queue_delete(queue)
        await channel.close()
