"""A broker inside this process, with RabbitMQ's semantics as far as daemons can tell: for demo and tests.

Queues exist once declared, messages stay until acked, a closed consumer's unacked deliveries go back, the
delivery limit leads to the dead letters, and a message for a queue that does not exist is refused.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from protocol.envelope import Envelope
from protocol.messages import ChainEvent, size_limit
from services.bus.port import (
    DELIVERY_LIMIT,
    UNDELIVERABLE,
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


class MemoryDelivery:
    """See Delivery."""

    def __init__(
        self,
        broker: MemoryBroker,
        queued: _Queued,
        unacked: dict["MemoryDelivery", None],
        letters: Counter[str],
    ) -> None:
        """Held in `unacked` until acked; `letters` counts those that are refused."""
        self._broker, self.queued, self._unacked, self._letters = broker, queued, unacked, letters
        unacked[self] = None

    @property
    def envelope_fields(self) -> Mapping[str, Any]:
        """See Delivery."""
        return self.queued.fields

    @property
    def body(self) -> bytes:
        """See Delivery."""
        return self.queued.body

    @property
    def trace(self) -> str | None:
        """See Delivery."""
        return self.queued.trace

    async def ack(self) -> None:
        """See Delivery."""
        self._unacked.pop(self, None)

    async def dead_letter(self, code: str, detail: str) -> None:
        """See Delivery."""
        letter = DeadLetter(self.queued.fields, self.queued.body, code, detail)
        self._broker.dead_letters.append(letter)
        self._letters[code] += 1
        self._unacked.pop(self, None)


class MemoryEvent:
    """See EventDelivery."""

    def __init__(self, event: ChainEvent, unacked: dict["MemoryEvent", None]) -> None:
        """Held in `unacked` until acked."""
        self.event, self._unacked = event, unacked
        unacked[self] = None

    async def ack(self) -> None:
        """See EventDelivery."""
        self._unacked.pop(self, None)


class MemoryBus:
    """See Bus."""

    def __init__(self, broker: MemoryBroker) -> None:
        """One participant's side of a shared broker."""
        self._broker = broker
        self._unacked: dict[tuple[str, str], dict[MemoryDelivery, None]] = {}
        self._unacked_events: dict[tuple[str, str], dict[MemoryEvent, None]] = {}
        self.messages_published = 0
        self.bytes_published = 0
        self._letters: Counter[str] = Counter()
        self.on_cycle: Callable[[str], None] = lambda _source: None

    @property
    def is_connected(self) -> bool:
        """See Bus."""
        return True

    @property
    def letters(self) -> Counter[str]:
        """See Bus."""
        return self._letters

    async def publish(self, message: Outgoing) -> None:
        """See Bus."""
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
        queue.put(_Queued(message.envelope.model_dump(mode="python"), message.sealed, message.trace))
        await asyncio.sleep(0)

    async def deliveries(self, role: str, address: str) -> AsyncIterator[MemoryDelivery]:
        """See Bus."""
        queue = self._broker.queues.get((role, address))
        if queue is None:
            raise Unroutable(f"no queue for {role} {address}; provision the participant")
        unacked = self._unacked.setdefault((role, address), {})
        while True:
            self.on_cycle("messages")
            queued = await queue.get()
            queued.deliveries += 1
            delivery = MemoryDelivery(self._broker, queued, unacked, self.letters)
            if queued.deliveries > DELIVERY_LIMIT:
                await delivery.dead_letter("delivery_limit", f"delivered {DELIVERY_LIMIT} times, never acked")
                continue
            yield delivery

    async def publish_letter(self, envelope: Envelope, code: str, detail: str) -> None:
        """See Bus."""
        fields = envelope.model_dump(mode="python")
        self._broker.dead_letters.append(DeadLetter(fields, b"", code, detail))
        self._letters[code] += 1

    async def publish_undelivered(self, message: Outgoing, detail: str) -> None:
        """See Bus."""
        fields = message.envelope.model_dump(mode="python")
        self._broker.dead_letters.append(DeadLetter(fields, message.sealed, UNDELIVERABLE, detail))
        self._letters[UNDELIVERABLE] += 1

    async def publish_event(self, event: ChainEvent, stream: str) -> None:
        """See Bus."""
        for (name, _), queue in self._broker.streams.items():
            if name == stream:
                queue.put(event)

    async def events(self, stream: str, address: str) -> AsyncIterator[MemoryEvent]:
        """See Bus."""
        queue = self._broker.streams.get((stream, address))
        if queue is None:
            raise Unroutable(f"no queue for the {stream} events of {address}; provision the participant")
        unacked = self._unacked_events.setdefault((stream, address), {})
        while True:
            self.on_cycle("events")
            yield MemoryEvent(await queue.get(), unacked)

    async def close(self) -> None:
        """See Bus."""
        for place, deliveries in self._unacked.items():
            self._broker.queues[place].put_back([delivery.queued for delivery in deliveries])
            deliveries.clear()
        for place, events in self._unacked_events.items():
            self._broker.streams[place].put_back([delivery.event for delivery in events])
            events.clear()
