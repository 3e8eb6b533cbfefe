"""The outbox relay: what steps asked for, carried out until it has happened, then forgotten.

A crash between doing and forgetting does it twice: a second message has the same id and the inbox drops
it, a second call is recognised by the chain client as done.

Broker and chain may be away for as long as they like. A message whose recipient has no queue is given up
after a bound: nobody seems to provision it.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import structlog
from eth_hash.auto import keccak

from protocol.codec import pack, unpack
from protocol.envelope import Envelope
from protocol.errors import DeltaMLError
from protocol.marketplace import ContractCall
from protocol.roles.engine import facts
from protocol.roles.engine.inputs import UNKNOWN_TRAINING, CallRefused
from protocol.types import Code, FrozenModel
from services.bus.port import UNDELIVERABLE, Bus, BusUnavailable, Outgoing, Unroutable
from services.chain.contract.client import MarketplaceClient
from services.chain.errors import CallReverted, ChainUnavailable
from services.common.errors import StoreUnavailable
from services.common.tasks import IDLE_SECONDS, wait_for_event
from services.observability import tracing
from services.observability.counters import Meter
from services.observability.logging import bound
from services.observability.tracer import Span
from services.runtime.input_codec import queued
from services.store import QueuedEffect, Store
from services.store.waiting import pause

_log = structlog.get_logger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_AWAY_PAUSE = 4.0
"""The longest while broker or node do not answer: what waits for them goes on soon after they are back."""

UNROUTABLE_SECONDS = 24 * 3600.0
"""For how long a message's recipient may be without a queue: long enough for an administrator to notice."""


class PendingMessage(FrozenModel):
    """A signed and sealed message on its way; resent, it is the same bytes."""

    recipient_role: str
    envelope: Envelope
    sealed: bytes
    trace: str | None = None


class PendingCall(FrozenModel):
    """A contract call on its way."""

    call: ContractCall
    trace: str | None = None


class PendingLetter(FrozenModel):
    """A message that broke a rule after it had been taken off the queue, or that nobody takes.

    `undelivered` is the message in the second case: an administrator may send it after all.
    """

    envelope: Envelope
    code: Code
    detail: str
    undelivered: PendingMessage | None = None


class Outbox:
    """Relays one store's effects: messages and letters in order, calls side by side."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        client: MarketplaceClient,
        meter: Meter,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`client` has the daemon's key."""
        self._store, self._bus, self._client, self._meter = store, bus, client, meter
        self._wake = asyncio.Event()
        self._on_change = on_change
        self._calls: dict[int, asyncio.Task[None]] = {}
        self.on_input: Callable[[str], None] = lambda _key: None
        self.on_cycle: Callable[[], None] = lambda: None

    def wake(self) -> None:
        """New effects are waiting."""
        self._wake.set()

    async def run(self) -> None:
        """Relay until cancelled."""
        try:
            while True:
                self._wake.clear()
                self.on_cycle()
                try:
                    # More calls may be in hand than one reading holds: they must not hide what comes after.
                    await self._relay(self._store.due_effects(time.time(), exclude=self._calls))
                    await self._pause()
                except StoreUnavailable as error:
                    await pause(error)
        finally:
            for task in self._calls.values():
                task.cancel()

    async def _pause(self) -> None:
        due = self._store.next_effect_at(self._calls)
        seconds = IDLE_SECONDS if due is None else max(0.0, due - time.time())
        await wait_for_event(self._wake, min(IDLE_SECONDS, seconds))

    async def _relay(self, effects: Sequence[QueuedEffect]) -> None:
        published: list[QueuedEffect] = []
        for effect in effects:
            if effect.kind == "call":
                self._calls[effect.sequence] = asyncio.create_task(self._call(effect))
                continue
            if await self._published(effect):
                published.append(effect)
        with self._meter.phase("store"):
            self._store.effects_done(published)
            self._note_late(published)
        if published:
            self._on_change()

    async def _published(self, effect: QueuedEffect) -> bool:
        pending: PendingMessage | PendingLetter = (
            unpack(PendingLetter, effect.content)
            if effect.kind == "letter"
            else unpack(PendingMessage, effect.content)
        )
        envelope = pending.envelope
        with bound(training=envelope.training, round_number=envelope.round, message_id=envelope.message_id):
            try:
                with self._meter.phase("bus"):
                    await self._traced(effect, pending)
            except Unroutable as error:
                self._unroutable(effect, pending, str(error))
            except DeltaMLError as error:
                away = isinstance(error, BusUnavailable)
                self._again(effect, str(error), effect.unroutable_since, away=away)
            else:
                return True
        return False

    async def _traced(self, effect: QueuedEffect, pending: PendingMessage | PendingLetter) -> None:
        if isinstance(pending, PendingLetter):
            await self._publish(pending)
            return
        with tracing.span(
            f"publish {pending.envelope.type}",
            parent=pending.trace,
            kind="producer",
            attempts=effect.attempts,
        ) as span:
            tracing.describe_message(span, pending.envelope)
            await self._publish(pending)

    async def _publish(self, pending: PendingMessage | PendingLetter) -> None:
        if isinstance(pending, PendingMessage):
            await self._bus.publish(_outgoing(pending))
        elif pending.undelivered is not None:
            await self._bus.publish_undelivered(_outgoing(pending.undelivered), pending.detail)
        else:
            await self._bus.publish_dead_letter(pending.envelope, pending.code, pending.detail)

    def _unroutable(self, effect: QueuedEffect, pending: PendingMessage | PendingLetter, reason: str) -> None:
        """Nobody takes it: try again, and after the bound give up a message, with a letter and a fact."""
        since = effect.unroutable_since or time.time()
        if isinstance(pending, PendingLetter) or time.time() - since < UNROUTABLE_SECONDS:
            self._again(effect, reason, since)
            return
        envelope = pending.envelope
        _log.error("message_undeliverable", recipient=envelope.recipient, type=envelope.type)
        letter = PendingLetter(envelope=envelope, code=UNDELIVERABLE, detail=reason, undelivered=pending)
        fact = facts.UNDELIVERABLE.pair(recipient=envelope.recipient, type=envelope.type, code=UNDELIVERABLE)
        self._store.give_up_effect(effect, time.time(), ("letter", pack(letter)), fact)
        self._wake.set()

    async def _call(self, effect: QueuedEffect) -> None:
        try:
            await self._submit(effect)
        except StoreUnavailable as error:  # the call is submitted again, and recognised as done
            await pause(error)
        finally:
            del self._calls[effect.sequence]
            self._wake.set()
            self._on_change()

    async def _submit(self, effect: QueuedEffect) -> None:
        pending = unpack(PendingCall, effect.content)
        call = pending.call
        try:
            with self._meter.phase("chain"), _traced_call(pending, effect):
                await self._client.submit(call)
        except CallReverted as refusal:
            if self._store.follows_a_call(effect):
                # Calls build on each other, and a node that was away may get them in another order.
                self._again(effect, f"an earlier call is waiting ({refusal})", away=True)
                return
            _log.warning("call_refused", call=call.call, code=refusal.code)
            code = UNKNOWN_TRAINING if refusal.names_no_training() else refusal.code
            refused = queued(CallRefused(call=call, code=code))
            self._store.effect_to_input(
                effect, keccak(b"refused" + effect.sequence.to_bytes(8, "big") + refused), refused
            )
            self.on_input(effect.key)
        except DeltaMLError as error:
            self._again(effect, str(error), away=isinstance(error, ChainUnavailable))
        except Exception as error:  # noqa: BLE001
            # A bug of ours is not tried again without a pause either; its text may hold secrets.
            self._again(effect, type(error).__name__)
        else:
            self._store.effects_done([effect])
            self._note_late([effect])

    def _note_late(self, effects: Sequence[QueuedEffect]) -> None:
        """For people: what took place, but not at the first attempt."""
        now = time.time()
        for one in effects:
            if one.attempts:
                seconds = round(now - one.added_at, 3)
                fact = facts.LATE.pair(of=one.kind, attempts=one.attempts + 1, seconds=seconds)
                self._store.note(one.key, fact, now)

    def _again(
        self, effect: QueuedEffect, reason: str, unroutable_since: float | None = None, *, away: bool = False
    ) -> None:
        longest = min(_AWAY_PAUSE, _LONGEST_PAUSE) if away else _LONGEST_PAUSE
        pause = min(longest, _FIRST_PAUSE * 2 ** min(effect.attempts, 16))
        _log.warning("effect_delayed", kind=effect.kind, attempts=effect.attempts, reason=reason, pause=pause)
        self._meter.retried(effect.kind)
        self._store.effect_failed(effect, time.time() + pause, unroutable_since)


def _outgoing(pending: PendingMessage) -> Outgoing:
    return Outgoing(pending.recipient_role, pending.envelope, pending.sealed, tracing.current())


def _traced_call(pending: PendingCall, effect: QueuedEffect) -> AbstractContextManager[Span]:
    call = pending.call
    training = getattr(call, "training", None)
    return tracing.span(
        f"call {call.call}", parent=pending.trace, kind="client", training=training, attempts=effect.attempts
    )


def packed_message(message: Outgoing) -> tuple[str, bytes]:
    """The effect that publishes a message."""
    pending = PendingMessage(
        recipient_role=message.recipient_role,
        envelope=message.envelope,
        sealed=message.sealed,
        trace=tracing.current(),
    )
    return "message", pack(pending)


def packed_call(call: ContractCall) -> tuple[str, bytes]:
    """The effect that submits a call."""
    return "call", pack(PendingCall(call=call, trace=tracing.current()))


def packed_letter(envelope: Envelope, code: str, detail: str) -> tuple[str, bytes]:
    """The effect that puts a message among the dead letters with the reason."""
    return "letter", pack(PendingLetter(envelope=envelope, code=code, detail=detail))
