"""From the bus to the inbox, many at a time: checked in the order they came, stored in one commit, acked.

A commit waits for the disk, so a commit for each message would bound what a daemon can take in by the disk's
pace. Whatever has arrived meanwhile goes into the next commit; a message alone does not wait for others.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import structlog

from protocol.errors import DeltaMLError, ProtocolViolation
from protocol.roles.engine.inputs import MessageReceived
from services.bus.port import Delivery, read_envelope
from services.common.trace_context import with_context
from services.identity.admission import Admission
from services.observability import tracing
from services.observability.counters import Meter
from services.observability.logging import bound
from services.observability.tracer import Span
from services.runtime.input_codec import message_identity, queued
from services.runtime.role_adapter import Role
from services.store import NewMessage, Store
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)

BATCH = 256
"""Messages in one commit at most; those in hand before a crash are delivered again."""

RETRY_SECONDS = 1.0
_QUIET_TURNS = 5


@dataclass(frozen=True, slots=True)
class _Held:
    """An admitted message that is not stored yet."""

    delivery: Delivery
    message: NewMessage
    span: Span


class Receiver:
    """Takes one participant's deliveries in."""

    def __init__(
        self,
        gate: Admission,
        role: Role,
        store: Store,
        meter: Meter,
        on_input: Callable[[str], None],
        *,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """`on_input` is told the keys of instances that have new inputs."""
        self._gate, self._role, self._store, self._meter = gate, role, store, meter
        self._on_input, self._retry_seconds = on_input, retry_seconds

    async def run(self, deliveries: AsyncIterator[Delivery]) -> None:
        """Take in until cancelled."""
        arrived: asyncio.Queue[Delivery | None] = asyncio.Queue(BATCH)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_collect(deliveries, arrived))
            while (first := await arrived.get()) is not None:
                await _settle(arrived)
                await self.take([first, *_at_hand(arrived)])

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Check, store and ack; what breaks a rule goes to the dead letters. Order is kept throughout."""
        held: list[_Held] = []
        for delivery in deliveries:
            span = tracing.start("deliver", parent=delivery.trace, kind="consumer")
            try:
                held.append(await self._admitted(delivery, held, span))
            except ProtocolViolation as violation:
                await self._refuse(delivery, violation, span)
        await self._commit(held)

    async def _admitted(self, delivery: Delivery, before: list[_Held], span: Span) -> _Held:
        """The checked message; while the chain cannot be asked about its sender, all wait."""
        while True:
            try:
                signed = await self._gate.admit(delivery)
                if signed.envelope.training == 0:
                    # Whether an order may start a training depends on the orders before it: store them first.
                    await self._commit(before)
                key = self._role.key_of_message(signed)
            except ProtocolViolation:
                raise
            except DeltaMLError as error:
                await self._commit(before)
                _log.warning("gate_waits", reason=str(error))
                self._meter.retried("gate")
                await asyncio.sleep(self._retry_seconds)
            else:
                content = queued(MessageReceived(signed=signed))
                digest = hashlib.sha256(content).digest()
                tracing.describe_message(span, signed.envelope)
                kept = with_context(content, span.context)
                message = NewMessage(message_identity(signed.envelope), key, kept, digest)
                return _Held(delivery, message, span)

    async def _commit(self, held: list[_Held]) -> None:
        """Store what is held, then ack it: a crash in between delivers it again, and the inbox knows it."""
        if not held:
            return
        with self._meter.phase("store"):
            messages = [one.message for one in held]
            replayed = set(await retry_while_unavailable(self._store.add_messages, messages))
        for key in dict.fromkeys(one.message.key for one in held):
            self._on_input(key)
        taken, held[:] = list(held), []
        for place, one in enumerate(taken):
            if place in replayed:
                violation = ProtocolViolation("replayed", "its id had other content before")
                await self._refuse(one.delivery, violation, one.span)
            else:
                await one.delivery.ack()
                one.span.end()

    async def _refuse(self, delivery: Delivery, violation: ProtocolViolation, span: Span) -> None:
        try:
            envelope = read_envelope(delivery.envelope_fields)
        except ProtocolViolation:
            named = bound()
        else:
            named = bound(
                training=envelope.training, round_number=envelope.round, message_id=envelope.message_id
            )
        with named:
            _log.warning("message_refused", code=violation.code, detail=violation.detail)
            await delivery.dead_letter(violation.code, violation.detail)
        span.fail(violation.code)
        span.end()


async def _collect(deliveries: AsyncIterator[Delivery], arrived: "asyncio.Queue[Delivery | None]") -> None:
    async for delivery in deliveries:
        await arrived.put(delivery)
    await arrived.put(None)


async def _settle(arrived: "asyncio.Queue[Delivery | None]") -> None:
    """Let what the socket holds already pass through the loop, which takes it some turns and no waiting."""
    quiet = 0
    while quiet < _QUIET_TURNS and not arrived.full():
        before = arrived.qsize()
        await asyncio.sleep(0)
        quiet = 0 if arrived.qsize() > before else quiet + 1


def _at_hand(arrived: "asyncio.Queue[Delivery | None]") -> list[Delivery]:
    """What has arrived already, without waiting."""
    found: list[Delivery] = []
    while not arrived.empty() and len(found) < BATCH - 1:
        one = arrived.get_nowait()
        if one is None:
            arrived.put_nowait(None)  # the end is for the next look
            break
        found.append(one)
    return found
