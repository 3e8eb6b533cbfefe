"""The outbox relay: what steps asked for, carried out until it has happened, then forgotten.

A crash between doing and forgetting does it twice: a second message has the same id and the inbox drops
it, a second call is recognised by the chain client as done.

Broker and chain may be away for as long as they like. A message whose recipient has no queue is given up
after a bound: nobody seems to provision it.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import structlog

from protocol.accusations import AccuseOfFalseOpening, AccuseOfTwoRecords
from protocol.codec import pack, unpack
from protocol.errors import DeltaMLError, ProtocolViolation
from protocol.marketplace import Withdraw
from protocol.roles.engine import facts
from protocol.roles.engine.inputs import UNKNOWN_TRAINING, CallRefused
from services.bus.port import UNDELIVERABLE, BusUnavailable, Outgoing, QueueFull, Unroutable
from services.chain.errors import CallReverted, ChainUnavailable
from services.common.errors import StoreUnavailable
from services.common.outages import Outage
from services.common.tasks import wait_for_event
from services.observability import tracing
from services.observability.logging import bound
from services.observability.tracer import Span
from services.runtime.effects import PendingCall, PendingLetter, PendingMessage
from services.runtime.input_codec import queued, refusal_identity
from services.runtime.resources import INTERNAL_ERROR, Resources
from services.store import QueuedEffect
from services.store.waiting import pause

_log = structlog.get_logger(__name__)

_TRIES = 8
"""Of a message or letter that fails for no known reason, before it is set aside."""


class OutboxRelay:
    """Relays one store's effects: messages and letters in order, calls side by side but for a withdrawal."""

    def __init__(self, resources: Resources, on_input: Callable[[str], None] = lambda _key: None) -> None:
        """`on_input` is told the key of an instance whose call was refused."""
        self._resources, self._on_input = resources, on_input
        self._store, self._bus, self._meter = resources.store, resources.bus, resources.meter
        self._pace, self._on_change = resources.pace, resources.on_change
        self._wake = asyncio.Event()
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._call_ended = asyncio.Event()
        self.is_held = False
        """Whether the broker has not confirmed the last message: nobody can have answered it."""
        self._delays = {
            kind: Outage(_log, "effect_delayed", "effects_go_on", kind=kind)
            for kind in ("message", "letter", "call")
        }

    def wake(self) -> None:
        """New effects are waiting."""
        self._wake.set()

    async def run(self) -> None:
        """Relay until cancelled."""
        try:
            while True:
                self._wake.clear()
                self._resources.heartbeats.beat("outbox")
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
        seconds = self._pace.idle if due is None else max(0.0, due - time.time())
        await wait_for_event(self._wake, min(self._pace.idle, seconds))

    async def _relay(self, effects: Sequence[QueuedEffect]) -> None:
        published: list[QueuedEffect] = []
        for effect in effects:
            if effect.kind == "call":
                self._calls[effect.sequence] = asyncio.create_task(self._call(effect))
                continue
            if await self._try_to_publish(effect):
                published.append(effect)
        with self._meter.phase("store"):
            self._store.effects_done(published)
            self._note_late(published)
        for effect in published:
            self._no_longer_late(effect)
        if published:
            self._on_change()

    async def _try_to_publish(self, effect: QueuedEffect) -> bool:
        """Whether the broker has taken it; if not, it waits for its next turn, or is set aside."""
        kind: type[PendingLetter | PendingMessage] = (
            PendingLetter if effect.kind == "letter" else PendingMessage
        )
        try:
            pending = unpack(kind, effect.content)
        except ProtocolViolation as violation:
            self._set_aside(effect, violation.code)
            return False
        envelope = pending.envelope
        with bound(training=envelope.training, round_number=envelope.round, message_id=envelope.message_id):
            try:
                with self._meter.phase("bus"):
                    await self._publish(effect, pending)
            except Unroutable as error:
                self.is_held = False
                self._unroutable(effect, pending, error)
            except DeltaMLError as error:
                away = isinstance(error, BusUnavailable)
                self.is_held = away and not isinstance(error, QueueFull)
                self._again(effect, error, effect.unroutable_since, away=away)
            except Exception as error:  # noqa: BLE001  what one effect raises must not end the daemon
                self._failed(effect, error)
            else:
                self.is_held = False
                return True
        return False

    async def _publish(self, effect: QueuedEffect, pending: PendingMessage | PendingLetter) -> None:
        envelope = pending.envelope
        if isinstance(pending, PendingMessage):
            with tracing.span(
                f"publish {envelope.type}", parent=pending.trace, kind="producer", attempts=effect.attempts
            ) as span:
                tracing.describe_message(span, envelope)
                await self._bus.publish(_outgoing(pending))
        elif pending.undelivered is not None:
            await self._bus.publish_undelivered(_outgoing(pending.undelivered), pending.detail)
        else:
            await self._bus.publish_dead_letter(envelope, pending.code, pending.detail)

    def _unroutable(
        self, effect: QueuedEffect, pending: PendingMessage | PendingLetter, error: Unroutable
    ) -> None:
        """Nobody takes it: try again, and after the bound give up a message, with a letter and a fact."""
        since = effect.unroutable_since or time.time()
        if isinstance(pending, PendingLetter) or time.time() - since < self._pace.unroutable:
            self._again(effect, error, since)
            return
        envelope, reason = pending.envelope, str(error)
        _log.error("message_undeliverable", recipient=envelope.recipient, type=envelope.type)
        letter = PendingLetter(envelope=envelope, code=UNDELIVERABLE, detail=reason, undelivered=pending)
        fact = facts.UNDELIVERABLE.pair(recipient=envelope.recipient, type=envelope.type, code=UNDELIVERABLE)
        self._store.give_up_effect(effect, time.time(), ("letter", pack(letter)), fact)
        self._no_longer_late(effect)
        self._wake.set()

    def _failed(self, effect: QueuedEffect, error: Exception) -> None:
        """Something that nobody thought of: tried again some times, for the machine may be at fault."""
        reason = type(error).__name__  # its text may hold secrets
        if isinstance(error, OSError) or effect.attempts + 1 < _TRIES:
            self._again(effect, error, effect.unroutable_since, reason=reason)
            return
        _log.error("effect_failed", kind=effect.kind, error=reason)
        self._set_aside(effect, INTERNAL_ERROR)

    def _set_aside(self, effect: QueuedEffect, code: str) -> None:
        """Nothing can be done with it: a fact says so, and what comes after it goes on."""
        digest = hashlib.sha256(effect.content).hexdigest()
        _log.error("effect_set_aside", kind=effect.kind, code=code, digest=digest)
        self._meter.set_aside["effect"] += 1
        fact = facts.SET_ASIDE.pair(of=effect.kind, code=code, digest=digest)
        self._store.give_up_effect(effect, time.time(), None, fact)
        self._no_longer_late(effect)

    async def _call(self, effect: QueuedEffect) -> None:
        try:
            await self._submit(effect)
        except ProtocolViolation as violation:  # it cannot even be read
            self._set_aside(effect, violation.code)
        except StoreUnavailable as error:  # the call is submitted again, and recognised as done
            await pause(error)
        finally:
            del self._calls[effect.sequence]
            self._call_ended.set()
            self._wake.set()
            self._on_change()

    async def _submit(self, effect: QueuedEffect) -> None:
        pending = unpack(PendingCall, effect.content)
        call = pending.call
        if isinstance(call, Withdraw):
            await self._earlier_calls(effect)
        try:
            with self._meter.phase("chain"), _traced_call(pending, effect):
                await self._resources.client.submit(call)
        except CallReverted as refusal:
            if self._follows_a_call(effect):
                # Calls build on each other, and a node that was away may get them in another order.
                self._again(effect, refusal, reason=f"an earlier call is waiting ({refusal})", away=True)
                return
            _log.warning("call_refused", call=call.call, code=refusal.code)
            code = UNKNOWN_TRAINING if refusal.names_no_training() else refusal.code
            refused = queued(CallRefused(call=call, code=code))
            self._store.effect_to_input(effect, refusal_identity(effect.sequence, refused), refused)
            self._no_longer_late(effect)
            self._on_input(effect.key)
        except DeltaMLError as error:
            self._again(effect, error, away=isinstance(error, ChainUnavailable))
        except Exception as error:  # noqa: BLE001
            # A bug of ours is not tried again without a pause either; its text may hold secrets.
            self._again(effect, error, reason=type(error).__name__)
        else:
            self._store.effects_done([effect])
            self._note_late([effect])
            self._no_longer_late(effect)

    async def _earlier_calls(self, effect: QueuedEffect) -> None:
        """Wait for the instance's earlier calls: what they credit is to be paid out with the rest.

        An accusation credits nobody here, and may wait for ether that the withdrawal would bring.
        """
        while self._follows_a_call(effect):
            self._call_ended.clear()
            await wait_for_event(self._call_ended, self._pace.idle)

    def _follows_a_call(self, effect: QueuedEffect) -> bool:
        """Whether an earlier call is waiting on which this one may build: none does on an accusation."""
        return any(not _accuses(content) for content in self._store.calls_before(effect))

    def _note_late(self, effects: Sequence[QueuedEffect]) -> None:
        """For people: what took place, but not at the first attempt."""
        now = time.time()
        for effect in effects:
            if effect.attempts:
                seconds = round(now - effect.added_at, 3)
                fact = facts.LATE.pair(of=effect.kind, attempts=effect.attempts + 1, seconds=seconds)
                self._store.note(effect.key, fact, now)

    def _no_longer_late(self, effect: QueuedEffect) -> None:
        self._delays[effect.kind].works(effect.sequence)

    def _again(
        self,
        effect: QueuedEffect,
        error: Exception,
        unroutable_since: float | None = None,
        *,
        reason: str | None = None,
        away: bool = False,
    ) -> None:
        """Try an effect again later; `reason` takes the place of an error's text that may hold secrets."""
        seconds = self._pace.pause_after(effect.attempts, away=away)
        self._delays[effect.kind].failed(error, part=effect.sequence, reason=reason)
        _log.debug(
            "effect_waits",
            kind=effect.kind,
            attempts=effect.attempts,
            reason=reason or str(error),
            pause=seconds,
        )
        self._meter.retried(effect.kind)
        self._store.effect_failed(effect, time.time() + seconds, unroutable_since)


def _accuses(content: bytes) -> bool:
    try:
        return isinstance(unpack(PendingCall, content).call, AccuseOfTwoRecords | AccuseOfFalseOpening)
    except ProtocolViolation:
        return False  # it is about to be set aside


def _outgoing(pending: PendingMessage) -> Outgoing:
    return Outgoing(pending.recipient_role, pending.envelope, pending.sealed, tracing.current())


def _traced_call(pending: PendingCall, effect: QueuedEffect) -> AbstractContextManager[Span]:
    call = pending.call
    training = getattr(call, "training", None)
    return tracing.span(
        f"call {call.call}", parent=pending.trace, kind="client", training=training, attempts=effect.attempts
    )
