"""From the chain's events to the inbox: announced by a listener, believed by the word of the own node.

The bus carries events unsigned: whoever has the listener's password, or runs the broker, may announce what
never took place. So nothing is stored before the participant's node has shown it. Events wait in the order of
the chain until the node has confirmed their block, and stay on the queue meanwhile; one that is announced
beyond the node's newest block holds up none before it, and one that the node cannot show its training alone.
"""

import asyncio
import time
from bisect import insort
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from protocol.errors import DeltaMLError, ProtocolViolation
from protocol.marketplace import training_of
from protocol.messages import ChainEvent
from protocol.roles.engine import facts
from protocol.roles.engine.inputs import EventConfirmed
from services.bus.port import EventDelivery
from services.chain.errors import ChainUnavailable
from services.common.errors import ServiceError
from services.common.outages import Outage
from services.common.tasks import run_forever
from services.observability.logging import bound, place_in_code
from services.records.chain_facts import place_of, record_of
from services.runtime.input_codec import event_identity, queued
from services.runtime.resources import INTERNAL_ERROR, Resources
from services.runtime.role_adapter import NO_TRAINING
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)

MOST_WAITING = 32
"""Events that wait for their block: fewer than a consumer's prefetch, so that more can still arrive."""

PATIENCE_SECONDS = 600.0
"""For how long a block may be beyond the newest one of a node that keeps up with its chain, and an event
that the node has not shown may take the place of others."""

_MOST_FAILURES = 3
"""Events in a row that the node fails to show before it is left alone for a moment: it may be away."""


@dataclass(slots=True)
class _Waiting:
    """An event that is not taken in yet, since when in seconds of the monotonic clock."""

    delivery: EventDelivery
    since: float
    failures: int = 0
    """How often the node could not say whether it is true, the last time for this `reason`."""
    reason: str = ""
    next_at: float = 0.0
    """When the node is asked again, by the clock of the event loop."""

    @property
    def event(self) -> ChainEvent:
        return self.delivery.event


class _Unanswered(Exception):  # noqa: N818
    """The node does not say now whether an event is true."""

    def __init__(self, error: DeltaMLError) -> None:
        super().__init__(str(error))
        self.error = error


class EventReceiver:
    """Takes one participant's events in, one by one."""

    def __init__(
        self,
        resources: Resources,
        on_input: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_input` is told the keys of instances that have new inputs."""
        self._resources, self._role, self._address = resources, resources.role, resources.identity.address
        self._store, self._meter, self._node = resources.store, resources.meter, resources.node
        self._on_input, self._clock = on_input, clock
        self._waiting: list[_Waiting] = []
        self._trouble: str | None = None
        self._outage = Outage(_log, "events_wait", "events_go_on")

    async def run(self, deliveries: AsyncIterator[EventDelivery]) -> None:
        """Take in until cancelled: each event is checked, stored, then acked."""
        arrived: asyncio.Queue[EventDelivery] = asyncio.Queue(1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_forever(partial(_collect, deliveries, arrived)))
            while True:
                delivery = await self._next(arrived)
                if delivery is not None:
                    self._wait(delivery)
                await self._take_confirmed()
                await self._give_up()

    @property
    def waiting(self) -> int:
        """Events that are not taken in yet."""
        return len(self._waiting)

    async def probe(self) -> None:
        """Raise ChainUnavailable with the reason while events wait for the node."""
        if self._trouble is not None:
            raise ChainUnavailable(self._trouble)

    # ---- waiting ----

    async def _next(self, arrived: "asyncio.Queue[EventDelivery]") -> EventDelivery | None:
        """The next event, or None when it is time to ask the node again for those that wait."""
        if not self._waiting:
            return await arrived.get()
        if len(self._waiting) >= MOST_WAITING:
            await asyncio.sleep(self._resources.pace.retry)
            return None
        try:
            async with asyncio.timeout(self._resources.pace.retry):
                return await arrived.get()
        except TimeoutError:
            return None

    def _wait(self, delivery: EventDelivery) -> None:
        since = self._clock()
        for earlier in self._waiting:
            if earlier.event == delivery.event:  # after a lost connection it comes again
                earlier.delivery = delivery
                return
        insort(self._waiting, _Waiting(delivery, since), key=_chain_order)

    async def _take_confirmed(self) -> None:
        """Ask the node once for each event whose block is final, in the order of the chain.

        What it cannot show now is asked for again later, and holds up the events of its training alone.
        """
        held: set[int] = set()
        failures = 0
        for entry in list(self._waiting):
            if not await self._is_confirmed(entry.event.block_number):
                break
            training = training_of(entry.event.event)
            if training in held:
                continue
            if _now() >= entry.next_at and failures < _MOST_FAILURES:
                if await self._is_settled(entry):
                    failures = 0
                    self._waiting.remove(entry)
                    continue
                failures += 1
            held.add(training)
        self._trouble = next((entry.reason for entry in self._waiting if entry.failures), None)
        if self._trouble is None:
            self._outage.works()

    async def _is_settled(self, entry: _Waiting) -> bool:
        """Whether it was taken in or refused; else the node could not say now whether it is true."""
        self._resources.heartbeats.beat("events")
        try:
            await self._take(entry.delivery)
        except _Unanswered as unanswered:
            entry.reason = self._note_trouble(unanswered.error)
            entry.next_at = _now() + self._resources.pace.pause_after(entry.failures, away=True)
            entry.failures += 1
            return False
        self._outage.works("machine")
        return True

    async def _give_up(self) -> None:
        """Refuse what lies beyond the chain for too long, and what leaves no room for others.

        While the node is behind all wait with it, but for what no chain can have reached since.
        """
        if not self._waiting:
            return
        lag = self._node.lag()
        if lag is not None:
            self._trouble = f"{len(self._waiting)} contract events wait for their blocks: {lag}"
        full = len(self._waiting) >= MOST_WAITING
        for entry in self._too_far(full=full) if lag is None or full else ():
            where = "the newest block of a node that keeps up" if lag is None else "what any chain has by now"
            detail = f"block {entry.event.block_number} is beyond {where}"
            await self._remove(entry, "event_ahead_of_node", detail)
        if full and len(self._waiting) >= MOST_WAITING:
            await self._give_up_unanswered()

    def _too_far(self, *, full: bool) -> list[_Waiting]:
        ahead = [entry for entry in self._waiting if not self._node.has_reached(entry.event.block_number)]
        if self._node.lag() is not None:
            return [entry for entry in ahead if not self._node.may_be_reached(entry.event.block_number)]
        oldest = self._clock() - PATIENCE_SECONDS
        too_old = [entry for entry in ahead if entry.since <= oldest]
        # What is announced honestly is next to the newest block.
        return too_old or (ahead[-1:] if full else [])

    async def _give_up_unanswered(self) -> None:
        """Refuse what a node that keeps up has not shown for long, so that others have its place."""
        oldest = self._clock() - PATIENCE_SECONDS
        for entry in [one for one in self._waiting if one.failures and one.since <= oldest]:
            try:
                if await self._node.fresh_lag() is not None:
                    return  # restored or catching up, it has yet to get to blocks that it had before
            except DeltaMLError:
                return  # it is away
            await self._remove(entry, "event_not_verifiable", entry.reason)

    async def _remove(self, entry: _Waiting, code: str, detail: str) -> None:
        await self._refuse(entry.delivery, ProtocolViolation(code, detail))
        self._waiting.remove(entry)

    async def _is_confirmed(self, block_number: int) -> bool:
        """The node's answer, asked for until there is one: without it no event can be believed."""
        attempts = 0
        while True:
            self._resources.heartbeats.beat("events")
            try:
                return await self._node.has_confirmed(block_number)
            except DeltaMLError as error:
                self._note_trouble(error)
            await asyncio.sleep(self._resources.pace.pause_after(attempts, away=True))
            attempts += 1

    def _note_trouble(self, error: DeltaMLError) -> str:
        self._trouble = f"contract events wait for the node: {self._outage.failed(error)}"
        self._meter.retried("event")
        return self._trouble

    # ---- taking in ----

    async def _take(self, delivery: EventDelivery) -> None:
        """Store it, refuse it or set it aside; what the machine cannot do now is waited for.

        Raises _Unanswered where the node does not say whether it is true.
        """
        event = delivery.event
        while True:
            try:
                await self._check_and_store(event)
            except ProtocolViolation as violation:
                await self._refuse(delivery, violation)
                return
            except OSError as error:
                self._outage.failed(error, part="machine")
                await asyncio.sleep(self._resources.pace.retry)
                continue
            except (ServiceError, _Unanswered):
                raise
            except Exception as error:  # noqa: BLE001  it would come again, and end the daemon again
                await retry_while_unavailable(self._set_aside, event, error)
            await delivery.ack()
            return

    async def _check_and_store(self, event: ChainEvent) -> None:
        """An event whose block is final; those that concern nobody here cost the node nothing."""
        key = await retry_while_unavailable(self._role.key_of_event, event.event)
        place = await retry_while_unavailable(place_of, event, self._address, self._store)
        if key is None and place is None:
            return
        try:
            await self._node.check(event)
        except ProtocolViolation:
            raise
        except DeltaMLError as error:
            raise _Unanswered(error) from error
        if key is not None:
            await retry_while_unavailable(self._store_event, key, event)
        await retry_while_unavailable(self._record, event)

    def _set_aside(self, event: ChainEvent, error: Exception) -> None:
        digest = event_identity(event).hex()
        _log.error("event_set_aside", error=type(error).__name__, place=place_in_code(error), digest=digest)
        self._meter.set_aside["event"] += 1
        fact = facts.SET_ASIDE.pair(of=event.event.event, code=INTERNAL_ERROR, digest=digest)
        self._store.note(NO_TRAINING, fact, time.time())

    def _store_event(self, key: str, event: ChainEvent) -> None:
        """One that is known already changes nothing."""
        content = queued(EventConfirmed(chain_event=event))
        with self._meter.phase("store"):
            self._store.add_inputs(
                [(event_identity(event), key, content)], training=training_of(event.event) or None
            )
        self._on_input(key)

    def _record(self, event: ChainEvent) -> None:
        """Keep for people what the chain said, also what no step waits for."""
        key = place_of(event, self._address, self._store)
        if key is not None:
            name, data = record_of(event)
            with self._meter.phase("store"):
                # A test chain's clock may run ahead of ours.
                self._store.note_once(key, name, data, min(float(event.timestamp), time.time()))
            self._resources.on_change()

    async def _refuse(self, delivery: EventDelivery, violation: ProtocolViolation) -> None:
        kind, training = delivery.event.event.event, training_of(delivery.event.event) or None
        with bound(training=training):
            _log.warning("event_refused", kind=kind, code=violation.code, detail=violation.detail)
            await retry_while_unavailable(self._note_refusal, kind, training, violation.code)
            await delivery.dead_letter(violation.code, violation.detail)

    def _note_refusal(self, kind: str, training: int | None, code: str) -> None:
        """Once for each kind of event and code: whoever announces much must not fill the store."""
        key = None if training is None else self._store.key_of(training)
        if key is not None:
            self._store.note_once(key, *facts.EVENT_REFUSED.pair(kind=kind, code=code), time.time())
            self._resources.on_change()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _chain_order(waiting: _Waiting) -> tuple[int, int]:
    return waiting.event.block_number, waiting.event.log_index


async def _collect(deliveries: AsyncIterator[EventDelivery], arrived: "asyncio.Queue[EventDelivery]") -> None:
    async for delivery in deliveries:
        await arrived.put(delivery)
