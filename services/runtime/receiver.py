"""From the bus to the inbox: messages many at a time, checked in order, stored in one commit, acked.

A commit waits for the disk, so a commit for each message would bound what a daemon can take in by the disk's
pace. Whatever has arrived meanwhile goes into the next commit; a message alone does not wait for others.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import structlog

from protocol.envelope import SignedMessage
from protocol.errors import DeltaMLError, ProtocolViolation
from protocol.roles.engine.inputs import MessageReceived
from services.bus.port import Delivery, read_envelope
from services.common.outages import Outage
from services.common.trace_context import with_context
from services.identity.admission import Admission
from services.observability import tracing
from services.observability.logging import bound, place_in_code
from services.observability.tracer import Span
from services.runtime.freshness import require_fresh
from services.runtime.input_codec import message_identity, queued
from services.runtime.order_answers import answer_by_refusal, order_in
from services.runtime.resources import INTERNAL_ERROR, Resources
from services.runtime.unknown_trainings import UnknownTrainings
from services.store import NewMessage
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)

BATCH = 256
"""Messages in one commit at most; those in hand before a crash are delivered again."""

MOST_WAITING, MOST_WAITING_BYTES = 10_000, 1 << 30
"""Inputs that may wait for their step, and what they may be long together, before the queue has to wait."""

_QUIET_TURNS = 5


@dataclass(frozen=True, slots=True)
class _Admitted:
    """An admitted message that is not stored yet."""

    delivery: Delivery
    message: NewMessage
    span: Span


class Receiver:
    """Takes one participant's messages in, by the batch."""

    def __init__(
        self,
        resources: Resources,
        on_input: Callable[[str], None],
        *,
        batch: int = BATCH,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`on_input` is told the keys of instances that have new inputs; `batch` messages are one commit.

        While `most_waiting` inputs wait for their step nothing is taken in.
        """
        self._most_waiting = most_waiting
        self._resources, self._role, self._address = resources, resources.role, resources.identity.address
        self._store, self._meter = resources.store, resources.meter
        self._admission = Admission(
            resources.identity,
            resources.market,
            resources.role.name,
            resources.directory,
        )
        self._unknown = UnknownTrainings(resources.client, resources.node, resources.role)
        self._on_input, self._batch = on_input, batch
        self._room = Outage(_log, "inbox_full", "inbox_has_room", most=most_waiting)
        self._gate = Outage(_log, "gate_waits", "gate_passes")

    @property
    def is_waiting(self) -> bool:
        """Whether a message waits for the node, and others behind it."""
        return self._gate.is_on

    async def run(self, deliveries: AsyncIterator[Delivery]) -> None:
        """Take in until cancelled."""
        arrived: asyncio.Queue[Delivery | None] = asyncio.Queue(self._batch)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_collect(deliveries, arrived))
            while (first := await arrived.get()) is not None:
                await self._wait_for_room()
                await _settle(arrived)
                await self.take([first, *_at_hand(arrived, self._batch - 1)])

    async def _wait_for_room(self) -> None:
        """Leave messages on the queue, which has a bound, while more waits here than is good for the disk."""
        if await retry_while_unavailable(self._has_room):
            return
        self._room.failed(OverflowError("inputs wait for their step: messages stay on their queue"))
        self._meter.retried("room")
        while not await retry_while_unavailable(self._has_room):
            self._resources.heartbeats.beat("messages")
            await asyncio.sleep(self._resources.pace.full)
        self._room.works()

    def _has_room(self) -> bool:
        waiting = self._store.waiting_inputs()
        return waiting < self._most_waiting and (
            not waiting or self._store.waiting_bytes() < MOST_WAITING_BYTES
        )

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Check, store and ack; what breaks a rule goes to the dead letters. Order is kept throughout."""
        admitted: list[_Admitted] = []
        for delivery in deliveries:
            span = tracing.start("deliver", parent=delivery.trace, kind="consumer")
            try:
                admitted.append(await self._admit(delivery, admitted, span))
            except ProtocolViolation as violation:
                await self._refuse(delivery, violation, span)
            except (DeltaMLError, OSError):
                raise
            except Exception as error:  # noqa: BLE001  it would come again, and end the daemon again
                await self._set_aside(delivery, error, span)
        await self._commit(admitted)

    async def _admit(self, delivery: Delivery, before: list[_Admitted], span: Span) -> _Admitted:
        """The checked message; while the chain cannot be asked about its sender, all wait."""
        signed: SignedMessage | None = None
        while True:
            try:
                signed = await self._admission.admit(delivery)
                if signed.envelope.training == 0:
                    require_fresh(signed.envelope, time.time(), self._resources.retention_seconds)
                    # Whether an order may start a training depends on the orders before it: store them first.
                    await self._commit(before)
                elif self._store.key_of(signed.envelope.training) is None:
                    await self._unknown.require(signed.envelope.training, signed.envelope.sender)
                key = self._role.key_of_message(signed)
            except ProtocolViolation as violation:
                self._gate.works()
                await self._tell_operator(signed, violation)
                raise
            except (DeltaMLError, OSError) as error:
                await self._commit(before)
                self._gate.failed(error)
                self._meter.retried("gate")
                await asyncio.sleep(self._resources.pace.retry)
            else:
                self._gate.works()
                content = queued(MessageReceived(signed=signed))
                digest = hashlib.sha256(content).digest()
                tracing.describe_message(span, signed.envelope)
                traced_content = with_context(content, span.context)
                message = NewMessage(message_identity(signed.envelope), key, traced_content, digest)
                return _Admitted(delivery, message, span)

    async def _tell_operator(self, signed: SignedMessage | None, violation: ProtocolViolation) -> None:
        """Answer an order that gets no further; None is a message that is not known to be its sender's."""
        item = None if signed is None else MessageReceived(signed=signed)
        answer = answer_by_refusal(order_in(item, self._address), violation)
        if answer is not None:
            await retry_while_unavailable(self._store.note_answer, answer, time.time())

    async def _commit(self, admitted: list[_Admitted]) -> None:
        """Store what was admitted, then ack it: a crash between delivers it again, and the inbox knows it."""
        if not admitted:
            return
        messages = [entry.message for entry in admitted]
        try:
            with self._meter.phase("store"):
                replayed = set(await retry_while_unavailable(self._store.add_messages, messages))
        except (DeltaMLError, OSError):
            raise
        except Exception as error:  # noqa: BLE001  one of them cannot be stored: the others must be
            await self._commit_each(admitted, error)
            return
        for key in dict.fromkeys(message.key for message in messages):
            self._on_input(key)
        stored, admitted[:] = list(admitted), []
        for position, entry in enumerate(stored):
            if position in replayed:
                violation = ProtocolViolation("replayed", "its id had other content before")
                await self._refuse(entry.delivery, violation, entry.span)
            else:
                await entry.delivery.ack()
                entry.span.end()

    async def _commit_each(self, admitted: list[_Admitted], error: Exception) -> None:
        if len(admitted) == 1:
            entry = admitted.pop()
            await self._set_aside(entry.delivery, error, entry.span)
            return
        stored, admitted[:] = list(admitted), []
        for entry in stored:
            await self._commit([entry])

    async def _set_aside(self, delivery: Delivery, error: Exception, span: Span) -> None:
        """A dead letter for what led to something that nobody thought of; its text may hold secrets."""
        digest = hashlib.sha256(delivery.body).hexdigest()
        _log.error("message_set_aside", error=type(error).__name__, place=place_in_code(error), digest=digest)
        self._meter.set_aside["message"] += 1
        await self._refuse(delivery, ProtocolViolation(INTERNAL_ERROR, f"sha256 of the body: {digest}"), span)

    async def _refuse(self, delivery: Delivery, violation: ProtocolViolation, span: Span) -> None:
        try:
            envelope = read_envelope(delivery.envelope_fields)
        except ProtocolViolation:
            scope = bound()
        else:
            scope = bound(
                training=envelope.training, round_number=envelope.round, message_id=envelope.message_id
            )
        with scope:
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


def _at_hand(arrived: "asyncio.Queue[Delivery | None]", most: int) -> list[Delivery]:
    """What has arrived already, without waiting."""
    deliveries: list[Delivery] = []
    while not arrived.empty() and len(deliveries) < most:
        delivery = arrived.get_nowait()
        if delivery is None:
            arrived.put_nowait(None)  # the end is for the next look
            break
        deliveries.append(delivery)
    return deliveries
