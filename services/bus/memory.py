"""A broker inside this process, with RabbitMQ's semantics as far as daemons can tell: for demo and tests.

Queues exist once declared, messages stay until acked, a closed consumer's unacked deliveries go back, the
delivery limit leads to the dead letters, and a message for a queue that does not exist is refused.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from typing_extensions import override

from protocol.codec import pack
from protocol.envelope import Envelope
from protocol.marketplace import training_of
from protocol.messages import ChainEvent, size_limit
from services.bus.naming import STREAMS
from services.bus.port import (
    DELIVERY_LIMIT,
    UNDELIVERABLE,
    Bus,
    Delivery,
    EventDelivery,
    Outgoing,
    Unroutable,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message with the reason; visible, as on the dead-letter queue."""

    envelope_fields: Mapping[str, Any]
    body: bytes = field(repr=False)
    code: str
    detail: str


@dataclass(slots=True)
class _Queued:
    fields: Mapping[str, Any]
    body: bytes = field(repr=False)
    trace: str | None
    deliveries: int = 0


@dataclass(slots=True)
class _Queue(Generic[T]):
    ready: deque[T] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, message: T) -> None:
        self.ready.append(message)
        self.arrived.set()

    def put_back(self, message: T) -> None:
        self.ready.appendleft(message)
        self.arrived.set()

    async def get(self) -> T:
        while not self.ready:
            self.arrived.clear()
            await self.arrived.wait()
        return self.ready.popleft()


@dataclass(frozen=True, slots=True, eq=False)
class _Taken(Generic[T]):
    """What a bus holds until it is acked; it goes back to its queue when the bus is closed before."""

    queue: _Queue[T]
    message: T


@dataclass(slots=True, eq=False)
class MemoryBroker:
    """What all buses of a process share."""

    queues: dict[tuple[str, str], _Queue[_Queued]] = field(default_factory=dict)
    streams: dict[tuple[str, str], _Queue[ChainEvent]] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    tap: Callable[[Outgoing], None] | None = None
    """Sees every message that is published."""

    def declare(self, role: str, address: str) -> None:
        """Provision a participant: its queue and its copies of the event streams."""
        self.queues.setdefault((role, address), _Queue())
        for stream in STREAMS:
            self.streams.setdefault((stream, address), _Queue())


class MemoryBus(Bus):
    """One participant's side of a broker that others share."""

    def __init__(self, broker: MemoryBroker) -> None:
        """Connected from the start."""
        self._broker = broker
        self._unacked: dict[_Taken[Any], None] = {}
        self.dead_letters: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.on_cycle: Callable[[str], None] = lambda _source: None

    @property
    @override
    def is_connected(self) -> bool:
        return True

    @override
    async def connect(self) -> None:
        return

    @override
    async def publish(self, message: Outgoing) -> None:
        queue = self._queue_of(message.recipient_role, message.envelope.recipient)
        limit = size_limit(message.envelope.type)
        if len(message.sealed) > limit:
            raise Unroutable(f"a body of {len(message.sealed)} bytes; at most {limit} pass")
        if self._broker.tap is not None:
            self._broker.tap(message)
        self.messages_published += 1
        self.bytes_published += len(message.sealed)
        queue.put(_Queued(message.envelope.model_dump(), message.sealed, message.trace))
        await asyncio.sleep(0)

    @override
    async def deliveries(self, role: str, address: str) -> AsyncIterator[Delivery]:
        queue = self._queue_of(role, address)
        while True:
            self.on_cycle("messages")
            taken = await self._take(queue)
            queued = taken.message
            queued.deliveries += 1
            if queued.deliveries > DELIVERY_LIMIT:
                await self._refuse(taken, "delivery_limit", f"delivered {DELIVERY_LIMIT} times, never acked")
                continue
            ack, refuse = partial(self._ack, taken), partial(self._refuse, taken)
            yield Delivery(queued.fields, queued.body, queued.trace, ack, refuse)

    @override
    async def publish_dead_letter(self, envelope: Envelope, code: str, detail: str) -> None:
        self._dead_letter(DeadLetter(envelope.model_dump(), b"", code, detail))

    @override
    async def publish_undelivered(self, message: Outgoing, detail: str) -> None:
        self._dead_letter(DeadLetter(message.envelope.model_dump(), message.sealed, UNDELIVERABLE, detail))

    @override
    async def publish_event(self, event: ChainEvent, stream: str) -> None:
        for (name, _), queue in self._broker.streams.items():
            if name == stream:
                queue.put(event)

    @override
    async def events(self, stream: str, address: str) -> AsyncIterator[EventDelivery]:
        queue = self._broker.streams.get((stream, address))
        if queue is None:
            raise Unroutable(f"no queue for the {stream} events of {address}: provision the participant")
        while True:
            self.on_cycle("events")
            taken = await self._take(queue)
            yield EventDelivery(taken.message, partial(self._ack, taken), partial(self._refuse_event, taken))

    @override
    async def close(self) -> None:
        while self._unacked:
            taken, _ = self._unacked.popitem()  # the last first, so that all are in order again
            taken.queue.put_back(taken.message)

    def _queue_of(self, role: str, address: str) -> _Queue[_Queued]:
        queue = self._broker.queues.get((role, address))
        if queue is None:
            raise Unroutable(f"no queue for {role} {address}: provision the participant")
        return queue

    async def _take(self, queue: _Queue[T]) -> _Taken[T]:
        taken = _Taken(queue, await queue.get())
        self._unacked[taken] = None
        return taken

    async def _ack(self, taken: _Taken[Any]) -> None:
        self._unacked.pop(taken, None)

    async def _refuse(self, taken: _Taken[_Queued], code: str, detail: str) -> None:
        self._dead_letter(DeadLetter(taken.message.fields, taken.message.body, code, detail))
        await self._ack(taken)

    async def _refuse_event(self, taken: _Taken[ChainEvent], code: str, detail: str) -> None:
        fields = {"type": taken.message.type, "training": training_of(taken.message.event)}
        self._dead_letter(DeadLetter(fields, pack(taken.message), code, detail))
        await self._ack(taken)

    def _dead_letter(self, letter: DeadLetter) -> None:
        self._broker.dead_letters.append(letter)
        self.dead_letters[letter.code] += 1
