"""One step: an input out of the inbox through the role's pure transition into the store, effects included.

An input is marked done in the transaction that stores the step's state and effects; whatever goes wrong
before leaves it in the inbox.
"""

import asyncio
import hashlib
import os
import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import structlog

from protocol.errors import DeltaMLError, MisuseError, ProtocolViolation, TrainingFailure
from protocol.marketplace import training_of
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import ReportViolation
from protocol.roles.engine.inputs import CallRefused, EventConfirmed, Input, MessageReceived, input_name
from services.common.errors import StoreInUse, StoreUnavailable
from services.common.outages import Outage
from services.common.shares import Shares
from services.common.trace_context import split_context
from services.observability import tracing
from services.observability.logging import bound, place_in_code
from services.observability.tracer import Span
from services.records.order_answers import ACCEPTED, OrderAnswer
from services.runtime.effects import (
    MessageWriter,
    packed_call,
    packed_letter,
    undeliverable,
    writes_of,
)
from services.runtime.input_codec import answer_identity, queued, unqueued
from services.runtime.order_answers import answer_by_refusal, answer_by_step, answered, order_in
from services.runtime.resources import INTERNAL_ERROR, Resources
from services.runtime.role_adapter import NO_TRAINING, Answer, Role
from services.runtime.signed_once import require_signed_once
from services.runtime.transcript_entries import entries_of
from services.store import InstanceRow, QueuedInput, StepWrites, Store
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)

REFUSALS_AT_ONCE, NOTICES_AT_ONCE, _MORE_PER_SECOND = 256, 20_000, 1 / 60
"""Messages of one sender in one training that are refused, or change nothing, and still leave a trace: late
answers and repeated questions are few, and the longest training has two notices for each of 10,000 rounds."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a step has left for others to take up: effects, timers, inputs of the instances `keys`."""

    effects: bool = False
    timers: bool = False
    keys: tuple[str, ...] = ()


class StepRunner:
    """Runs one participant's steps, those of different instances side by side."""

    def __init__(self, resources: Resources, writer: MessageWriter) -> None:
        """`writer` signs and seals what the steps send."""
        self._resources, self._writer = resources, writer
        self._role, self._store, self._meter = resources.role, resources.store, resources.meter
        self._identity = resources.identity
        self._turn = asyncio.Lock()
        self._waits = Outage(_log, "step_waits", "steps_go_on")
        self._refusals = Shares(REFUSALS_AT_ONCE, _MORE_PER_SECOND)
        self._notices = Shares(NOTICES_AT_ONCE, _MORE_PER_SECOND)

    async def take(self, queued_input: QueuedInput) -> Written:
        """One input. What store, node or machine cannot do now is waited for; the input stays stored.

        Anything else that an input leads to ends in its refusal: a stored input that raised would end the
        daemon at each start again. Raises StoreInUse, which no waiting mends.
        """
        with ExitStack() as scope:
            try:
                written = await self._take(queued_input, scope)
            except StoreInUse:
                raise
            except (DeltaMLError, OSError) as error:
                self._waits.failed(error, part=queued_input.key)
                self._meter.retried("step")
                await asyncio.sleep(self._resources.pace.retry)
                # A commit whose answer was lost may have taken place: then this input is done, and what it
                # led to is still to be taken up.
                lost = isinstance(error, StoreUnavailable)
                keys = await retry_while_unavailable(self._store.waiting_keys) if lost else ()
                return Written(effects=True, timers=True, keys=tuple(keys))
        self._waits.works(queued_input.key)
        return written

    async def _take(self, queued_input: QueuedInput, scope: ExitStack) -> Written:
        item: Input | None = None
        try:
            item = unqueued(queued_input.content)
            row = self._store.instance(queued_input.key)
            scope.enter_context(_log_scope(item, row))
            with _trace_scope(self._role, self._identity.address, queued_input, item, row):
                return await self._handle(queued_input, item, row)
        except (ProtocolViolation, TrainingFailure) as error:
            return self._refuse(queued_input, item, _violation_of(error))
        except MisuseError as error:
            self._report_bug(item, error)
            return self._refuse(queued_input, item, ProtocolViolation(INTERNAL_ERROR))
        except (DeltaMLError, OSError):
            raise
        except Exception as error:  # noqa: BLE001  a bug of ours must not end the daemon, nor keep other inputs waiting
            self._report_bug(item, error)
            return self._refuse(queued_input, item, ProtocolViolation(INTERNAL_ERROR))

    async def _handle(self, queued_input: QueuedInput, item: Input, row: InstanceRow | None) -> Written:
        if queued_input.key == NO_TRAINING:
            return await self._answer(queued_input, item)
        if row is not None and row.closed is not None:
            return self._refuse(queued_input, item, ProtocolViolation(row.closed))
        if self._role.is_serialized(item):
            async with self._turn:
                return await self._step(queued_input, item, row)
        return await self._step(queued_input, item, row)

    async def _step(self, queued_input: QueuedInput, item: Input, row: InstanceRow | None) -> Written:
        context = await self._context(queued_input.key, item)
        state = None if row is None else row.state
        timed = await self._resources.pool.run(self._role.name, state, item, context)
        self._meter.step(input_name(item), timed.seconds)
        if timed.step.state == state:
            refused = any(isinstance(effect, ReportViolation) for effect in timed.step.effects)
            if self._floods(queued_input.key, item, self._refusals if refused else self._notices):
                return self._forget(queued_input)
        require_signed_once(timed.step, self._resources.market, self._resources.signed_rounds)
        with self._meter.phase("bus"):
            writes, sent = await writes_of(timed.step, self._writer, frozenset(context.blobs))
            own = self._identity
            writes.transcript = entries_of(timed.step, item, sent, own.address, own.signing_key)
        writes.answer = answer_by_step(order_in(item, self._identity.address), state, timed.step)
        with self._meter.phase("store"), tracing.span("store step"):
            self._store.write_step(queued_input, writes, time.time())
        self._report_facts(queued_input.key, writes)
        return Written(
            effects=bool(writes.effects or writes.delayed), timers=bool(writes.timers or writes.cancelled)
        )

    async def _context(self, key: str, item: Input) -> Context:
        of_role = await self._role.context(key, item)
        return Context(
            address=self._identity.address,
            market=self._resources.market,
            now=time.time(),
            seed=os.urandom(32),
            signing_key=self._identity.signing_key,
            announced=of_role.announced,
            blobs=self._store.blobs(key),
            # Of the store, not of memory: a step that is taken again after a crash tells the same.
            kept_head=self._store.kept_head(key),
            private=of_role.private,
            policy=of_role.policy,
            least_key_bits=self._resources.least_key_bits,
        )

    async def _answer(self, queued_input: QueuedInput, item: Input) -> Written:
        """An input outside all trainings."""
        if self._floods(queued_input.key, item, self._refusals):
            return self._forget(queued_input)
        answer = self._answer_to(item)
        order = order_in(item, self._identity.address)
        effects = [packed_call(call) for call in answer.calls]
        noted = [] if answer.fact is None else [answer.fact]
        for recipient, body in answer.messages:
            try:
                entry, _ = await self._writer.message(recipient, body, 0, message_id=os.urandom(16))
                effects.append(entry)
            except ProtocolViolation as violation:
                noted.append(undeliverable(recipient, body, violation))
        inputs = [
            (answer_identity(queued_input.content, key), key, queued(led_to)) for key, led_to in answer.inputs
        ]
        self._store.finish_input(
            queued_input,
            time.time(),
            effects=effects,
            values=answer.values,
            facts=noted,
            inputs=inputs,
            answer=None if order is None else answered(order, OrderAnswer(ACCEPTED)),
        )
        return Written(effects=bool(effects), keys=tuple(key for key, _ in answer.inputs))

    def _answer_to(self, item: Input) -> Answer:
        match item:
            case MessageReceived():
                return self._role.answer(item.signed)
            case CallRefused():
                return Answer(fact=facts.CALL_REFUSED.pair(call=item.call.call, code=item.code))
            case _:
                raise AssertionError(f"{input_name(item)} belongs to a training")

    def _refuse(self, queued_input: QueuedInput, item: Input | None, violation: ProtocolViolation) -> Written:
        """Mark an input done that changes nothing; None is one that cannot be read."""
        if self._floods(queued_input.key, item, self._refusals):
            return self._forget(queued_input)
        name = "unreadable" if item is None else input_name(item)
        code, detail = violation.code, violation.detail
        about: dict[str, str] = {}
        if item is None or code == INTERNAL_ERROR:
            about["digest"] = hashlib.sha256(queued_input.content).hexdigest()
            self._meter.set_aside["input"] += 1
        effects = []
        if isinstance(item, MessageReceived):
            effects.append(packed_letter(item.signed.envelope, code, detail))
        _log.warning("input_refused", input=name, code=code, detail=detail, **about)
        fact = facts.INPUT_REFUSED.pair(input=name, code=code, **about)
        answer = answer_by_refusal(order_in(item, self._identity.address), violation)
        self._store.finish_input(queued_input, time.time(), effects=effects, facts=[fact], answer=answer)
        # Its own step may have been stored before something failed.
        return Written(effects=True, timers=True)

    def _floods(self, key: str, item: Input | None, shares: Shares) -> bool:
        """Whether a message that changes nothing is beyond its sender's share, and is to leave nothing."""
        if not isinstance(item, MessageReceived) or item.signed.envelope.sender == self._identity.address:
            return False
        return not shares.take(f"{key} {item.signed.envelope.sender}")

    def _forget(self, queued_input: QueuedInput) -> Written:
        """No fact, no letter, no answer, and no id: who sends it again has it looked at again."""
        self._store.forget_input(queued_input)
        self._meter.inputs_forgotten += 1
        return Written()

    def _report_facts(self, key: str, writes: StepWrites) -> None:
        """What has happened, for the log and the counters."""
        address = self._identity.address
        for name, data in writes.facts:
            about = {"role": self._role.name, "party": address, "training": writes.training}
            _log.info(name, **{**about, **data})
            self._meter.noted((address, key), name, data)
        if writes.finished:
            self._meter.ended((address, key))

    def _report_bug(self, item: Input | None, error: Exception) -> None:
        """Its text and its frames may hold secrets, so only its kind and place are logged."""
        _log.error(
            "step_failed",
            input="unreadable" if item is None else input_name(item),
            error=type(error).__name__,
            place=place_in_code(error),
        )
        self._meter.steps_failed += 1


def _violation_of(error: ProtocolViolation | TrainingFailure) -> ProtocolViolation:
    """What is wrong with an input whose step ends in this error, outside of the role's own handling."""
    return error if isinstance(error, ProtocolViolation) else ProtocolViolation(error.code)


def _log_scope(item: Input, row: InstanceRow | None) -> AbstractContextManager[None]:
    """What is logged during an input's step names its training, round and message."""
    training = None if row is None else row.training
    match item:
        case MessageReceived():
            envelope = item.signed.envelope
            return bound(
                training=training or envelope.training,
                round_number=envelope.round,
                message_id=envelope.message_id,
            )
        case EventConfirmed():
            return bound(training=training or training_of(item.chain_event.event))
        case _:
            return bound(training=training)


def _trace_scope(
    role: Role, party: str, queued_input: QueuedInput, item: Input, row: InstanceRow | None
) -> AbstractContextManager[Span]:
    """The span of an input's step, in the trace of the message that it is, or else of its training."""
    own, _ = split_context(queued_input.content)
    outside = queued_input.key == NO_TRAINING
    return tracing.span(
        f"step {input_name(item)}",
        parent=own if outside else _of_instance(role.store, queued_input.key, own),
        input=input_name(item),
        role=role.name,
        party=party,
        training=None if row is None else row.training,
        round=item.signed.envelope.round if isinstance(item, MessageReceived) else None,
    )


def _of_instance(store: Store, key: str, own: str | None) -> str | None:
    """The context for an input's step: its own, or for an event or a timer that of its instance's first.

    So everything of a training is in one trace, also after a restart.
    """
    if not tracing.is_on():
        return None
    name = f"trace:{key}"
    known = store.values(name).get("")
    if own is None:
        return None if known is None else known.decode()
    if known is None:
        store.put_value(name, own.encode(), now=time.time())
    return own
