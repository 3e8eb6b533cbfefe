"""A data owner's daemon whose steps a test writes, and faults at every place where a process can die."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from protocol.marketplace import Settle, Settled
from protocol.messages import Complaint
from protocol.roles.dispatch import EncodedStep, attributed
from protocol.roles.engine.context import Context
from protocol.roles.engine.effects import Effect, RecordFact, SendMessage, SetTimer, SubmitCall
from protocol.roles.engine.inputs import Input, MessageReceived, TimerFired
from services.bus.memory import MemoryBroker, MemoryBus
from services.bus.port import Outgoing
from services.identity.admission import Admission
from services.identity.directory import Directory
from services.runtime.input_codec import message_identity
from services.runtime.resources import Pace, Resources
from services.runtime.role_adapter import Role
from services.runtime.runtime import Runtime
from services.runtime.step_pool import TimedStep
from services.store import NewMessage, QueuedEffect, QueuedInput, StepWrites, Store
from tests.support.daemons.service_world import MARKET, BelievingNode, FakeChain, Person, broker_of

Script = Callable[[bytes | None, Input, Context], EncodedStep]
SECONDS = 120.0
"""A bound for what must come; nothing is measured by it."""


class Crash(BaseException):
    """The process dies here."""


class Faults:
    """Dies at one named place, and stays dead."""

    def __init__(self, place: str = "") -> None:
        self.place = place
        self.dead = False

    def at(self, place: str) -> None:
        if self.dead or place == self.place:
            self.dead = True
            raise Crash(place)


class ScriptedPool:
    """See StepPool."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.contexts: list[Context] = []

    async def run(self, _role: str, state: bytes | None, item: Input, context: Context) -> TimedStep:
        await asyncio.sleep(0)
        self.contexts.append(context)
        step = self.script(state, item, context)
        effects = tuple(attributed(item, effect) for effect in step.effects)
        return TimedStep(replace(step, effects=effects, taken=(item,)), 0.0)


class OwnerLike(Role):
    """A role without anything of its own."""

    name = "data_owner"


def resources_of(
    person: Person, chain: FakeChain, store: Store, bus: Any = None, **changes: Any
) -> Resources:
    """What a participant works with in a test; its role adds nothing unless another is given."""
    role = OwnerLike(store)
    role.name = person.role  # type: ignore[assignment]
    return Resources(
        **{
            "role": role,
            "identity": person.identity,
            "market": MARKET,
            "store": store,
            "bus": bus or MemoryBus(MemoryBroker()),
            "client": chain,
            "node": BelievingNode(),
            "directory": Directory(chain),
            "pool": None,
            **changes,
        }
    )


class DyingStore(Store):
    """A store whose process may die before or after each transaction."""

    def __init__(self, url: str = "sqlite://", **options: Any) -> None:
        super().__init__(url, **options)
        self.faults = Faults()

    def add_inputs(self, inputs: Sequence[tuple[bytes, str, bytes]], *, training: int | None = None) -> None:
        self.faults.at("before add_inputs")
        super().add_inputs(inputs, training=training)
        self.faults.at("after add_inputs")

    def add_messages(self, messages: Sequence[NewMessage]) -> list[int]:
        self.faults.at("before add_inputs")
        replayed = super().add_messages(messages)
        self.faults.at("after add_inputs")
        return replayed

    def write_step(self, item: QueuedInput, writes: StepWrites, now: float) -> None:
        self.faults.at("before write_step")
        super().write_step(item, writes, now)
        self.faults.at("after write_step")

    def effects_done(self, effects: Sequence[QueuedEffect]) -> None:
        if effects:
            self.faults.at("before effects_done")
        super().effects_done(effects)
        if effects:
            self.faults.at("after effects_done")

    def timer_to_input(self, key: str, name: str, input_id: bytes, content: bytes) -> None:
        self.faults.at("before timer_to_input")
        super().timer_to_input(key, name, input_id, content)
        self.faults.at("after timer_to_input")


class DyingBus(MemoryBus):
    """A bus whose process may die before or after a confirmation."""

    def __init__(self, broker: MemoryBroker, faults: Faults) -> None:
        super().__init__(broker)
        self._faults = faults

    async def publish(self, message: Outgoing) -> None:
        self._faults.at("before publish")
        await super().publish(message)
        self._faults.at("after publish")


class DyingChain(FakeChain):
    """A chain whose caller may die before or after a call took effect."""

    faults = Faults()

    async def submit(self, call: Any) -> None:
        self.faults.at("before submit")
        await super().submit(call)
        self.faults.at("after submit")


@dataclass
class World:
    """An owner whose daemon is under test, an aggregator that talks to it, a broker, a chain."""

    store: DyingStore = field(default_factory=DyingStore)
    owner: Person = field(default_factory=lambda: Person("data_owner"))
    aggregator: Person = field(default_factory=lambda: Person("federated_aggregator"))
    pace: Pace = field(default_factory=lambda: Pace(retry=0.01))

    def __post_init__(self) -> None:
        self.chain = DyingChain(self.owner, self.aggregator)
        self.broker = broker_of(self.owner, self.aggregator)
        self.pool = ScriptedPool(echo)

    def runtime(self, faults: Faults, role: Role | None = None) -> Runtime:
        """A new process on the same store."""
        self.store.faults = self.chain.faults = faults
        bus, pool = DyingBus(self.broker, faults), self.pool
        role = role or OwnerLike(self.store)
        return Runtime(
            resources_of(self.owner, self.chain, self.store, bus, role=role, pool=pool, pace=self.pace)
        )

    @asynccontextmanager
    async def running(self, faults: Faults | None = None, role: Role | None = None) -> AsyncIterator[Runtime]:
        """A daemon that is killed at the end of the block, or where its faults say."""
        runtime = self.runtime(faults or Faults(), role)
        task = asyncio.create_task(runtime.run())
        try:
            yield runtime
        finally:
            if task.done() and faults is None:
                task.result()
            task.cancel()
            with suppress(asyncio.CancelledError, BaseExceptionGroup, Crash):
                await task
            await runtime.bus.close()

    async def send(self, code: str, training: int = 1, **changes: Any) -> None:
        """The aggregator says something to the owner."""
        body = Complaint(code=code, accused=self.owner.address, evidence=())
        message = self.aggregator.outgoing(self.owner, body, training=training, **changes)
        await MemoryBus(self.broker).publish(message)

    async def heard(self) -> list[str]:
        """The codes that reached the aggregator, through its admission and its inbox."""
        admission = Admission(self.aggregator.identity, MARKET, "federated_aggregator", Directory(self.chain))
        inbox, codes = Store(), []
        bus = MemoryBus(self.broker)
        waiting = len(self.broker.queues["federated_aggregator", self.aggregator.address].ready)
        deliveries = bus.deliveries("federated_aggregator", self.aggregator.address)
        for _ in range(waiting):
            signed = await admission.admit(await anext(deliveries))
            inbox.add_inputs([(message_identity(signed.envelope), "1", signed.body)])
        while (item := inbox.next_input("1")) is not None:
            codes.append(code_of(item.content))
            inbox.finish_input(item, 0.0)
        inbox.close()
        return codes

    def letters(self) -> list[tuple[str, str]]:
        """(code, detail) of the dead letters."""
        return [(letter.code, letter.detail) for letter in self.broker.dead_letters]


async def until(condition: Callable[[], bool]) -> None:
    """Look until it holds."""
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.002)


def code_of(body: bytes) -> str:
    from protocol.codec import unpack  # noqa: PLC0415

    return unpack(Complaint, body).code


def said(item: Input) -> str:
    """What an input says, in one word."""
    if isinstance(item, MessageReceived):
        return code_of(item.signed.body)
    if isinstance(item, TimerFired):
        return item.name
    return getattr(item, "code", item.input)


def step(state: bytes, *effects: Effect, training: int | None = 1, shown: str = "READY") -> EncodedStep:
    return EncodedStep(state, effects, frozenset(), shown, training, finished=False)


def heard_so_far(state: bytes | None, item: Input) -> bytes:
    """The state of the scripts: every input's word."""
    return (state or b"") + said(item).encode() + b" "


def echo(state: bytes | None, item: Input, _context: Context) -> EncodedStep:
    return step(heard_so_far(state, item))


def settled_event(training: int) -> Settled:
    return Settled(training=training, improvement=0, paid=0, refund=0)


def answering(world: World) -> Script:
    """A script that answers whatever it hears, with a message and a call, and after "three" sets a timer."""

    def script(state: bytes | None, item: Input, context: Context) -> EncodedStep:
        word = said(item)
        stream = context.randomness("reply")
        body = Complaint(code=f"re_{word}", accused=world.owner.address, evidence=())
        reply = SendMessage(message_id=stream.bytes(16), recipient=world.aggregator.address, body=body)
        effects: list[Effect] = [
            reply,
            SubmitCall(call=Settle(training=len(word))),
            RecordFact(name="told", data={"of": word}),
        ]
        if word == "three":
            effects.append(SetTimer(name="late", seconds=0.0))
        return step(heard_so_far(state, item), *effects)

    return script
