"""A daemon: inputs off bus and chain go into the inbox, steps are taken one at a time, their effects go out.

The order makes every crash harmless. A delivery is acked once its input is stored, an input is marked done in
the transaction that stores the step's state and effects, and an effect is forgotten once it has happened.
"""

import asyncio
import os
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack

import structlog

from protocol.errors import DeltaMLError, ProtocolViolation
from protocol.marketplace import training_of
from protocol.messages import ChainEvent, Message
from protocol.records import Market
from protocol.request import LEAST_KEY_BITS
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context
from protocol.roles.engine.inputs import CallRefused, EventConfirmed, Input, MessageReceived, input_name
from services.bus.port import Bus
from services.chain.contract.client import MarketplaceClient
from services.common.errors import StoreInUse
from services.common.tasks import run_forever
from services.identity.admission import Admission
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.observability import tracing
from services.observability.counters import Meter
from services.observability.heartbeat import Heartbeats
from services.records.chain_facts import place_of, record_of
from services.runtime.effects import writes_of
from services.runtime.input_codec import answer_identity, event_identity, queued, unqueued
from services.runtime.message_writer import Courier
from services.runtime.outbox_relay import Outbox, packed_call, packed_letter
from services.runtime.receiver import RETRY_SECONDS, Receiver
from services.runtime.role_adapter import NO_TRAINING, Answer, Role
from services.runtime.step_pool import StepPool
from services.runtime.step_scope import named, traced
from services.runtime.timers import Timekeeper
from services.store import InstanceRow, QueuedInput, Store
from services.store.retention import RETENTION_SECONDS, archive_ended
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)

_RETRY_SECONDS = RETRY_SECONDS


class Runtime:
    """One participant's daemon, whatever its role."""

    def __init__(
        self,
        role: Role,
        identity: Identity,
        market: Market,
        *,
        store: Store,
        bus: Bus,
        client: MarketplaceClient,
        directory: Directory,
        pool: StepPool,
        meter: Meter,
        heartbeats: Heartbeats | None = None,
        least_key_bits: int = LEAST_KEY_BITS,
        retention_seconds: float = RETENTION_SECONDS,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Everything is handed in, so that a test or the demo can put a whole market into one process."""
        self._retention_seconds = retention_seconds
        self.role, self.identity, self.store = role, identity, store
        self.address = identity.address
        self._market, self._bus, self._pool, self._meter = market, bus, pool, meter
        self._least_key_bits, self._on_change = least_key_bits, on_change
        self._heartbeats = heartbeats or Heartbeats()
        client.on_outcome = meter.called
        bus.on_cycle = self._heartbeats.beat
        gate = Admission(identity, role.name, directory)
        self._intake = Receiver(gate, role, store, meter, self._wake_instance, retry_seconds=_RETRY_SECONDS)
        self._outbox = Outbox(store, bus, client, meter, on_change)
        self._outbox.on_input = self._wake_instance
        self._outbox.on_cycle = lambda: self._heartbeats.beat("outbox")
        self._courier = Courier(identity, directory)
        self._timekeeper = Timekeeper(store, bus, self._heartbeats, self._wake_instance)
        self._turn = asyncio.Lock()
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._sources: list[asyncio.Task[None]] = []
        self._stopping = False

    async def run(self) -> None:
        """Work until cancelled. What is in hand then is stored, and is taken up at the next start."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for key in await retry_while_unavailable(self.store.waiting_keys):
                self._wake_instance(key)
            work = [
                self._outbox.run,
                self._timekeeper.run,
                lambda: archive_ended(self.store, self._retention_seconds),
                self._take_events,
                lambda: self._intake.run(self._bus.deliveries(self.role.name, self.address)),
            ]
            self._sources = [tasks.create_task(run_forever(one)) for one in work]
            if self._stopping:  # told before there was anything to stop
                self.stop()

    def stop(self) -> None:
        """Take nothing more in; `run` ends when the steps in hand are stored."""
        self._stopping = True
        for task in self._sources:
            task.cancel()

    def is_idle(self) -> bool:
        """Whether nothing is waiting: no input, no effect, no step."""
        return not (self._workers or self.store.waiting_keys() or self.store.waiting_effects())

    async def send(self, recipient: str, body: Message, *, message_id: bytes | None = None) -> None:
        """Send a message that no step asked for, outside all trainings.

        Raises ProtocolViolation("not_registered") for a recipient that the chain does not know.
        """
        effect = await self._courier.message(recipient, body, 0, message_id=message_id or os.urandom(16))
        self.store.add_effects(NO_TRAINING, [effect], time.time())
        self._outbox.wake()

    def offer(self, keys: Iterable[str], item: Input) -> None:
        """Have instances take an input that nobody sent: something within the daemon changed."""
        for key in keys:
            self._offer(os.urandom(32), key, item)

    # ---- intake ----

    async def _take_events(self) -> None:
        async for delivery in self._bus.events("confirmed", self.address):
            event = delivery.event
            key = await retry_while_unavailable(self.role.key_of_event, event.event)
            if key is not None:
                item = EventConfirmed(chain_event=event)
                number = training_of(event.event) or None
                await retry_while_unavailable(self._offer, event_identity(event), key, item, number)
            await retry_while_unavailable(self._record, event)
            await delivery.ack()

    def _record(self, event: ChainEvent) -> None:
        """Keep for people what the chain said, also what no step waits for."""
        place = place_of(event, self.address, self.store)
        if place is not None:
            name, data = record_of(event)
            with self._meter.phase("store"):
                # A test chain's clock may run ahead of ours.
                self.store.note_once(place, name, data, min(float(event.timestamp), time.time()))
            self._on_change()

    def _offer(self, identity: bytes, key: str, item: Input, training: int | None = None) -> None:
        """Store an input; one that is known already changes nothing."""
        with self._meter.phase("store"):
            self.store.add_inputs([(identity, key, queued(item))], training=training)
        self._wake_instance(key)

    # ---- steps ----

    def _wake_instance(self, key: str) -> None:
        if key not in self._workers:
            assert self._tasks is not None
            self._workers[key] = self._tasks.create_task(self._work(key))

    async def _work(self, key: str) -> None:
        """Take an instance's inputs one after another, in the order they came."""
        try:
            while not self._stopping and (item := await self._next_input(key)) is not None:
                await self._take_input(item)
        finally:
            del self._workers[key]  # nothing awaits since the last look, so no input can have been missed
            self._on_change()

    async def _next_input(self, key: str) -> QueuedInput | None:
        """The next input, found without giving up the loop unless the store is away."""
        return await retry_while_unavailable(self.store.next_input, key)

    async def _take_input(self, queued_input: QueuedInput) -> None:
        """One input. What needs the chain waits for it; the input stays stored meanwhile."""
        with ExitStack() as stack:
            try:
                item = unqueued(queued_input.content)
                row = self.store.instance(queued_input.key)
                stack.enter_context(named(item, row))
                with traced(self.role, self.address, queued_input, item, row):
                    await self._handle(queued_input, item, row)
            except StoreInUse:
                raise
            except DeltaMLError as error:
                _log.warning("step_waits", reason=str(error))
                self._meter.retried("step")
                await asyncio.sleep(_RETRY_SECONDS)
                # A commit whose answer was lost may have taken place: then this input is done, and nobody was
                # told of what it led to.
                self._outbox.wake()
                self._timekeeper.timers_changed()

    async def _handle(self, queued_input: QueuedInput, item: Input, row: InstanceRow | None) -> None:
        if queued_input.key == NO_TRAINING:
            await self._answer(queued_input, item)
        elif row is not None and row.closed is not None:
            self._refuse(queued_input, item, row.closed, "")
        elif self.role.is_serialized(item):
            async with self._turn:
                await self._step(queued_input, item, row)
        else:
            await self._step(queued_input, item, row)

    async def _step(self, queued_input: QueuedInput, item: Input, row: InstanceRow | None) -> None:
        context = await self._context(queued_input.key, None if row is None else row.training, item)
        state = None if row is None else row.state
        try:
            timed = await self._pool.run(self.role.name, state, item, context)
        except ProtocolViolation as violation:
            self._refuse(queued_input, item, violation.code, violation.detail)
            return
        except BrokenProcessPool:
            raise
        except Exception as error:  # noqa: BLE001
            # A bug of ours: this input must not keep the instance's others waiting for ever. Its text and its
            # frames may hold secrets, so only its kind and place are logged.
            place = traceback.extract_tb(error.__traceback__)[-1]
            _log.error(
                "step_failed",
                input=input_name(item),
                error=type(error).__name__,
                place=f"{place.filename}:{place.lineno}",
            )
            self._meter.steps_failed += 1
            self._refuse(queued_input, item, "internal_error", "")
            return
        self._meter.step(input_name(item), timed.seconds)
        with self._meter.phase("bus"):
            writes = await writes_of(timed.step, item, self._courier, frozenset(context.blobs))
        with self._meter.phase("store"), tracing.span("store step"):
            self.store.write_step(queued_input, writes, time.time())
        for name, data in writes.facts:
            about = {
                "role": self.role.name,
                "party": self.address,
                "training": writes.training,
            }
            _log.info(name, **{**about, **data})
            self._meter.noted((self.address, queued_input.key), name)
        if writes.finished:
            self._meter.ended((self.address, queued_input.key))
        if writes.effects:
            self._outbox.wake()
        if writes.timers or writes.cancelled:
            self._timekeeper.timers_changed()

    async def _context(self, key: str, training: int | None, item: Input) -> Context:
        if training is None and isinstance(item, MessageReceived):
            training = item.signed.envelope.training or None
        exchange_keys = await self.role.exchange_keys(training)
        return Context(
            address=self.address,
            market=self._market,
            now=time.time(),
            seed=os.urandom(32),
            signing_key=self.identity.signing_key,
            exchange_secret=self.identity.secret_of(exchange_keys.get(self.address)),
            announced=self.role.announced(),
            exchange_keys=exchange_keys,
            blobs=self.store.blobs(key),
            private=await self.role.private(key, item),
            policy=self.role.policy(),
            least_key_bits=self._least_key_bits,
        )

    async def _answer(self, queued_input: QueuedInput, item: Input) -> None:
        """An input outside all trainings."""
        try:
            answer = self._answer_to(item)
        except ProtocolViolation as violation:
            self._refuse(queued_input, item, violation.code, violation.detail)
            return
        effects = [
            await self._courier.message(recipient, body, 0, message_id=os.urandom(16))
            for recipient, body in answer.messages
        ]
        effects += [packed_call(call) for call in answer.calls]
        facts = () if answer.fact is None else (answer.fact,)
        inputs = [
            (answer_identity(queued_input.content, key), key, queued(led_to)) for key, led_to in answer.inputs
        ]
        self.store.finish_input(
            queued_input, time.time(), effects=effects, values=answer.values, facts=facts, inputs=inputs
        )
        self._outbox.wake()
        for key, _ in answer.inputs:
            self._wake_instance(key)

    def _answer_to(self, item: Input) -> Answer:
        match item:
            case MessageReceived():
                return self.role.answer(item.signed)
            case CallRefused():
                return Answer(fact=facts.CALL_REFUSED.pair(call=item.call.call, code=item.code))
            case _:
                raise AssertionError(f"{input_name(item)} belongs to a training")

    def _refuse(self, queued_input: QueuedInput, item: Input, code: str, detail: str) -> None:
        effects = []
        if isinstance(item, MessageReceived):
            effects.append(packed_letter(item.signed.envelope, code, detail))
        _log.warning("input_refused", input=input_name(item), code=code, detail=detail)
        fact = facts.INPUT_REFUSED.pair(input=input_name(item), code=code)
        self.store.finish_input(queued_input, time.time(), effects=effects, facts=[fact])
        self._outbox.wake()
