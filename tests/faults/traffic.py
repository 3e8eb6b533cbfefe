"""What passes the broker: a copy of every message for counting, and a hand on those to one recipient."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from yarl import URL

from services.bus.amqp.connection import bounded
from services.bus.amqp.message_properties import copy_of
from services.bus.naming import EXCHANGE, queue_name
from services.common.tasks import told_to_stop
from services.daemon.shutdown import cancelled
from tests.support.broker.amqp_market import AmqpMarket

_PASSED = "faults-passed"
_TAP = "faults.tap"
_CLOSE_SECONDS = 2.0

Forward = Callable[[aio_pika.Message], Awaitable[None]]
"""Puts a message on the recipient's queue."""

Tamper = Callable[[AbstractIncomingMessage, Forward], Awaitable[None]]
"""Does with a message what it likes."""


@dataclass(frozen=True)
class Seen:
    """A message as its properties show it."""

    message_id: str
    type: str
    training: int
    sender: str
    recipient: str
    original: AbstractIncomingMessage


def same(message: AbstractIncomingMessage, body: bytes | None = None) -> aio_pika.Message:
    """The message once more, or with another body."""
    content = message.body if body is None else body
    return copy_of(message, content, user=message.user_id, headers=message.headers)


class Traffic:
    """One market's messages; needs the administrator's login, with the right to pass on others' messages."""

    def __init__(self, broker: AmqpMarket) -> None:
        self._broker = broker
        self.seen: list[Seen] = []
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._tampering: tuple[str, str, asyncio.Task[None]] | None = None

    async def start(self) -> None:
        server, api = self._broker.server, self._broker.api
        tags = {"password": server.password, "tags": "administrator,impersonator"}
        await api.put("users", server.user, body=tags)
        await self._prepare(_TAP, "#")
        self._tasks.append(asyncio.create_task(self._forever(_TAP, self._note)))

    async def close(self) -> None:
        for task in self._tasks:
            await cancelled(task, _CLOSE_SECONDS)

    def of(self, training: int) -> list[Seen]:
        """A training's messages in the order the broker got them; what came twice is there once."""
        return list(
            {(one.sender, one.message_id): one for one in self.seen if one.training == training}.values()
        )

    def count_since(self, mark: int) -> int:
        return len(self.seen) - mark

    async def reached(self, mark: int, count: int, seconds: float) -> None:
        """Wait until so many messages have passed since `len(seen)` was `mark`."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: self.count_since(mark) >= count)

    # ---- tampering ----

    async def tamper(self, role: str, address: str, tamper: Tamper) -> None:
        """From now on whatever is sent to this participant goes through `tamper`."""
        target, between = queue_name(role, address), f"faults.{address}"
        key = f"{role}.{address}.*"
        await self._prepare(between, key)
        async with await self._connect() as connection:
            channel = await connection.channel()
            # What is passed on keeps its exchange and key, by which a daemon knows copies, and has a mark.
            passed = await channel.declare_exchange(between, aio_pika.ExchangeType.HEADERS)
            await passed.bind(EXCHANGE, key)
            queue = await channel.get_queue(target)
            await queue.bind(passed, "", arguments={"x-match": "all", _PASSED: "yes"})
            await queue.unbind(EXCHANGE, key)

        async def handle(channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
            if _PASSED in message.headers:
                return
            exchange = await channel.get_exchange(EXCHANGE)

            async def forward(one: aio_pika.Message) -> None:
                one.headers[_PASSED] = "yes"
                await exchange.publish(one, str(message.routing_key))

            await tamper(message, forward)

        task = asyncio.create_task(self._forever(between, handle))
        self._tampering = (target, key, task)

    async def stop_tampering(self) -> None:
        """The recipient's queue is the broker's business alone again."""
        assert self._tampering is not None
        target, key, task = self._tampering
        self._tampering = None
        async with await self._connect() as connection:
            channel = await connection.channel()
            await (await channel.get_queue(target)).bind(EXCHANGE, key)
            between = await channel.get_queue(f"faults.{target.rsplit('.', 1)[1]}")
            await between.unbind(EXCHANGE, key)
            while (await channel.declare_queue(between.name, passive=True)).declaration_result.message_count:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)  # what was taken off it last is being passed on
        await cancelled(task, _CLOSE_SECONDS)
        async with await self._connect() as connection:
            channel = await connection.channel()
            await channel.queue_delete(between.name)
            await channel.exchange_delete(between.name)

    # ---- inside ----

    async def _note(self, _channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        headers = message.headers
        if _PASSED in headers:
            return
        seen = Seen(
            message.message_id or "",
            message.type or "",
            int(message.correlation_id or 0),
            str(headers["sender"]),
            str(headers["recipient"]),
            message,
        )
        async with self._changed:
            self.seen.append(seen)
            self._changed.notify_all()

    async def _prepare(self, queue: str, key: str) -> None:
        async with await self._connect() as connection:
            channel = await connection.channel()
            declared = await channel.declare_queue(queue, durable=True)
            await declared.bind(EXCHANGE, key)

    async def _forever(self, queue: str, handle) -> None:
        """Consume, over every loss of the connection, whose error can take a cancellation's place."""
        while not told_to_stop():
            with suppress(*aio_pika.exceptions.CONNECTION_EXCEPTIONS):
                async with bounded(None), await self._connect() as connection:
                    channel = await connection.channel()
                    async with (await channel.get_queue(queue)).iterator() as messages:
                        async for message in messages:
                            await handle(channel, message)
                            await message.ack()
            await asyncio.sleep(0.1)

    async def _connect(self) -> aio_pika.abc.AbstractConnection:
        server = self._broker.server
        url = URL(server.amqp_url).with_user(server.user).with_password(server.password)
        return await aio_pika.connect(url.with_path(f"/{self._broker.vhost}"))
