"""Participants on a real broker: a virtual host of their own, provisioned as an administrator would."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from yarl import URL

from services.bus.amqp.amqp_bus import AmqpBus
from services.bus.amqp.timing import Timing
from services.bus.broker.drift import Difference, differences
from services.bus.broker.management_client import Management, ManagementAccess, connected
from services.bus.broker.provisioning import apply
from services.bus.broker.topology import ListenerPlace, ParticipantPlace, Places, Topology, topology_of
from services.bus.naming import DEAD_QUEUE
from services.bus.port import BusUnavailable
from services.config.daemons import Broker
from tests.support.broker.rabbitmq import Server

T = TypeVar("T")
_REMOVALS = 3
_PATIENCE = 300
"""Seconds for what comes at once: a busy machine may keep any process from its work."""


async def next_of(stream: AsyncIterator[T]) -> T:
    """The next of a stream, which comes within a bound."""
    return await asyncio.wait_for(anext(stream), _PATIENCE)


class AmqpMarket:
    """A provisioned virtual host; buses and clients made here are closed with it."""

    def __init__(
        self, server: Server, places: Places, api: Management, stack: AsyncExitStack, folder: Path
    ) -> None:
        self.server, self.places, self.api = server, places, api
        self._stack, self._folder = stack, folder

    @property
    def vhost(self) -> str:
        return self.places.vhost

    @property
    def topology(self) -> Topology:
        return topology_of(self.places)

    @property
    def listener(self) -> str:
        return self.places.chain_listeners[0].user

    @property
    def buyer(self) -> str:
        return self.of_role("model_buyer")[0]

    @property
    def aggregator(self) -> str:
        return self.of_role("federated_aggregator")[0]

    @property
    def owner(self) -> str:
        return self.of_role("data_owner")[0]

    def of_role(self, role: str) -> list[str]:
        return [one.address for one in self.places.participants if one.role == role]

    async def apply(self) -> list[Difference]:
        """Provision again."""
        return await apply(self.api, self.topology)

    def config(self, user: str) -> Broker:
        """As in a daemon's configuration."""
        host = self.server.amqp_url.removeprefix("amqp://")
        return Broker(url=f"amqp://{user}@{host}/{self.vhost}", password_file=self._password_file(user))

    def administrator(self) -> Broker:
        """A login that may do everything."""
        host = self.server.amqp_url.removeprefix("amqp://")
        return Broker(
            url=f"amqp://{self.server.user}@{host}/{self.vhost}",
            password_file=self._folder / "administrator",
        )

    def bus(self, user: str, **timing: float) -> AmqpBus:
        """A bus under a user's login, with these bounds of its Timing."""
        bus = AmqpBus(self.config(user), Timing(**timing))
        self._stack.push_async_callback(bus.close)
        return bus

    async def channel(self, user: str | None = None) -> aio_pika.abc.AbstractChannel:
        """A bare channel under a user's login, or the administrator's, on a connection of its own."""
        url = URL(self.server.amqp_url).with_path(f"/{self.vhost}")
        if user is None:
            url = url.with_user(self.server.user).with_password(self.server.password)
        else:
            url = url.with_user(user).with_password(self.password(user))
        connection = await self._stack.enter_async_context(await aio_pika.connect(url))
        return await connection.channel(on_return_raises=True)

    async def dead_letters(self, count: int = 1) -> list[AbstractIncomingMessage]:
        """The next so many dead letters; waits for them."""
        queue = await (await self.channel()).get_queue(DEAD_QUEUE, ensure=False)
        async with queue.iterator(no_ack=True) as letters:
            return [await asyncio.wait_for(anext(letters), _PATIENCE) for _ in range(count)]

    async def depth(self, queue: str) -> int:
        """Messages on a queue, delivered or not."""
        channel = await self.channel()
        declared = await (await channel.get_underlay_channel()).queue_declare(queue, passive=True)
        return declared.message_count or 0

    async def plan(self) -> list[Difference]:
        """How the broker differs from what was provisioned."""
        return await differences(self.api, self.topology)

    def password(self, user: str) -> str:
        return self._password_file(user).read_text()

    async def close_connections(self) -> None:
        """As an administrator does; waits until the broker shows them, which takes it seconds."""
        users = {user.name for user in self.topology.users}
        async with asyncio.timeout(_PATIENCE):
            while not (there := await self._connections(users)):
                await asyncio.sleep(0.2)
        for name in there:
            await self.api.delete("connections", name)

    async def _connections(self, users: set[str]) -> list[str]:
        return [one["name"] for one in await self.api.get("connections") if one.get("user") in users]

    def _password_file(self, user: str) -> Path:
        files = {one.address: one.password_file for one in self.places.participants}
        files |= {one.user: one.password_file for one in self.places.chain_listeners}
        file = files[user]
        assert file is not None
        return file


@asynccontextmanager
async def amqp_market(
    server: Server, participants: Sequence[tuple[str, str]], folder: Path
) -> AsyncIterator[AmqpMarket]:
    """Provision (role, address) pairs and a chain listener; password files go into `folder`."""
    mark = secrets.token_hex(4)
    listener = f"chain-listener-{mark}"
    places = Places(
        vhost=f"deltaml-{mark}",
        participants=tuple(
            ParticipantPlace(role=role, address=address, password_file=_password(folder, address))  # type: ignore[arg-type]
            for role, address in participants
        ),
        chain_listeners=(ListenerPlace(user=listener, password_file=_password(folder, listener)),),
    )
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(connected(management_access(server, folder)))
        stack.push_async_callback(_remove, api, places)
        await api.put("vhosts", places.vhost)
        everything = {"configure": ".*", "read": ".*", "write": ".*"}
        await api.put("permissions", places.vhost, server.user, body=everything)
        await apply(api, topology_of(places))
        yield AmqpMarket(server, places, api, stack, folder)


def management_access(server: Server, folder: Path) -> ManagementAccess:
    """The administrator's login as a document has it."""
    file = folder / "administrator"
    file.write_text(server.password)
    file.chmod(0o600)
    return ManagementAccess(url=server.management_url, user=server.user, password_file=file)


def address() -> str:
    """A new account."""
    return f"0x{secrets.token_hex(20)}"


def _password(folder: Path, user: str) -> Path:
    file = folder / quote(user)
    if not file.exists():
        file.write_text(secrets.token_urlsafe(24))
        file.chmod(0o600)
    return file


async def _remove(api: Management, places: Places) -> None:
    await _delete(api, "vhosts", places.vhost)  # its connections are closed with it
    for user in topology_of(places).users:
        await _delete(api, "users", user.name)


async def _delete(api: Management, *path: str) -> None:
    """Ask again where the broker of a busy machine takes longer than an administrator waits."""
    for _ in range(_REMOVALS - 1):
        with suppress(BusUnavailable):
            return await api.delete(*path)
    return await api.delete(*path)
