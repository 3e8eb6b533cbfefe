"""A broker inside this process, with RabbitMQ's semantics as far as daemons can tell: for demo and tests.

Queues exist once declared, messages stay until acked, a closed consumer's unacked deliveries go back, the
delivery limit leads to the dead letters, and a message for a queue that does not exist is refused.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from typing_extensions import override

from protocol.envelope import Envelope
from protocol.messages import ChainEvent, size_limit
from services.bus.port import (
    DELIVERY_LIMIT,
    UNDELIVERABLE,
    Bus,
    Delivery,
    EventDelivery,
    Outgoing,
    Tap,
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
    body: bytes
    trace: str | None = None
    deliveries: int = 0


class _Queue(Generic[T]):
    def __init__(self) -> None:
        self.ready: deque[T] = deque()
        self.arrived = asyncio.Event()

    def put(self, message: T) -> None:
        self.ready.append(message)
        self.arrived.set()

    def put_back(self, messages: Sequence[T]) -> None:
        """The unacked, to where they were."""
        self.ready.extendleft(reversed(messages))
        self.arrived.set()

    async def get(self) -> T:
        while not self.ready:
            self.arrived.clear()
            await self.arrived.wait()
        return self.ready.popleft()


class MemoryBroker:
    """What all buses of a process share."""

    def __init__(self) -> None:
        """An empty broker."""
        self.queues: dict[tuple[str, str], _Queue[_Queued]] = {}
        self.streams: dict[tuple[str, str], _Queue[ChainEvent]] = {}
        self.dead_letters: list[DeadLetter] = []
        self.tap: Tap | None = None

    def declare(self, role: str, address: str) -> None:
        """Provision a participant: its queue and its copies of the event streams."""
        self.queues.setdefault((role, address), _Queue())
        for stream in ("seen", "confirmed"):
            self.streams.setdefault((stream, address), _Queue())


class MemoryDelivery(Delivery):
    """One delivery of a queued message."""

    def __init__(
        self,
        queued: _Queued,
        unacked: dict["MemoryDelivery", None],
        dead_letter: Callable[[DeadLetter], None],
    ) -> None:
        """Held in `unacked` until acked or refused."""
        self.queued, self._unacked, self._dead_letter = queued, unacked, dead_letter
        self.envelope_fields, self.body, self.trace = queued.fields, queued.body, queued.trace
        unacked[self] = None

    @override
    async def ack(self) -> None:
        self._unacked.pop(self, None)

    @override
    async def dead_letter(self, code: str, detail: str) -> None:
        self._dead_letter(DeadLetter(self.envelope_fields, self.body, code, detail))
        self._unacked.pop(self, None)


class MemoryEvent(EventDelivery):
    """One delivery of a contract event."""

    def __init__(self, event: ChainEvent, unacked: dict["MemoryEvent", None]) -> None:
        """Held in `unacked` until acked."""
        self.event, self._unacked = event, unacked
        unacked[self] = None

    @override
    async def ack(self) -> None:
        self._unacked.pop(self, None)


class MemoryBus(Bus):
    """One participant's side of a broker that others share."""

    def __init__(self, broker: MemoryBroker) -> None:
        """Connected from the start."""
        self._broker = broker
        self._unacked: dict[tuple[str, str], dict[MemoryDelivery, None]] = {}
        self._unacked_events: dict[tuple[str, str], dict[MemoryEvent, None]] = {}
        self.messages_published = 0
        self.bytes_published = 0
        self.dead_letters: Counter[str] = Counter()
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
        queue = self._broker.queues.get((message.recipient_role, message.envelope.recipient))
        if queue is None:
            raise Unroutable(
                f"no queue for {message.recipient_role} {message.envelope.recipient}: provision it"
            )
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
    async def deliveries(self, role: str, address: str) -> AsyncIterator[MemoryDelivery]:
        queue = self._broker.queues.get((role, address))
        if queue is None:
            raise Unroutable(f"no queue for {role} {address}; provision the participant")
        unacked = self._unacked.setdefault((role, address), {})
        while True:
            self.on_cycle("messages")
            queued = await queue.get()
            queued.deliveries += 1
            delivery = MemoryDelivery(queued, unacked, self._dead_letter)
            if queued.deliveries > DELIVERY_LIMIT:
                await delivery.dead_letter("delivery_limit", f"delivered {DELIVERY_LIMIT} times, never acked")
                continue
            yield delivery

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
    async def events(self, stream: str, address: str) -> AsyncIterator[MemoryEvent]:
        queue = self._broker.streams.get((stream, address))
        if queue is None:
            raise Unroutable(f"no queue for the {stream} events of {address}; provision the participant")
        unacked = self._unacked_events.setdefault((stream, address), {})
        while True:
            self.on_cycle("events")
            yield MemoryEvent(await queue.get(), unacked)

    @override
    async def close(self) -> None:
        for place, deliveries in self._unacked.items():
            self._broker.queues[place].put_back([delivery.queued for delivery in deliveries])
            deliveries.clear()
        for place, events in self._unacked_events.items():
            self._broker.streams[place].put_back([delivery.event for delivery in events])
            events.clear()

    def _dead_letter(self, letter: DeadLetter) -> None:
        self._broker.dead_letters.append(letter)
        self.dead_letters[letter.code] += 1
