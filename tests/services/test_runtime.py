"""A daemon: what goes in once comes out once, whenever its process dies, and nobody's fault stops it."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from protocol.errors import ProtocolViolation
from protocol.marketplace import Opened, Settle, Settled, Withdraw, Withdrawn
from protocol.messages import Complaint, OwnerAnnouncement
from protocol.roles.inputs import (
    CallRefused,
    EventConfirmed,
    MessageReceived,
    NoteFact,
    ReportViolation,
    SendMessage,
    SetTimer,
    SubmitCall,
    TimerFired,
)
from services import runtime as runtime_module
from services.bus.memory import MemoryBus
from services.federated_aggregator import AggregatorRole
from services.inbox import message_identity, queued, timer_identity
from services.store import StepWrites, Store
from tests.support.documents import any_request
from tests.support.scripted_daemon import (
    DyingStore,
    Faults,
    World,
    heard_so_far,
    said,
    step,
    until,
)
from tests.support.service_world import Person, event_of

MESSAGES = ("one", "two", "three")
SECRET = "0x5ec7e7"


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(runtime_module, "_RETRY_SECONDS", 0.01)
    made = World()
    yield made
    made.store.close()


def settled_event(training):
    return Settled(training=training, improvement=0, paid=0, refund=0)


def answering(world):
    """A script that answers whatever it hears, with a message and a call, and after "three" sets a timer."""

    def script(state, item, context):
        word = said(item)
        stream = context.randomness("reply")
        body = Complaint(code=f"re_{word}", accused=world.owner.address, evidence=())
        reply = SendMessage(message_id=stream.bytes(16), recipient=world.aggregator.address, body=body)
        effects = [
            reply,
            SubmitCall(call=Settle(training=len(word))),
            NoteFact(name="told", data={"of": word}),
        ]
        if word == "three":
            effects.append(SetTimer(name="late", seconds=0.0))
        return step(heard_so_far(state, item), *effects)

    return script


# ---- a step ----


async def test_a_message_becomes_a_step_and_the_step_its_effects(world):
    world.pool.script = answering(world)
    async with world.running() as runtime:
        await world.send("one", training=5)
        await until(lambda: world.chain.calls and runtime.is_idle())
    assert world.store.instance("5").state == b"one "
    assert world.chain.calls == [Settle(training=3)]
    assert [(name, data) for name, data, _at in world.store.facts("5")] == [("told", {"of": "one"})]
    assert await world.heard() == ["re_one"]
    assert world.letters() == []


async def test_a_step_sees_its_context(world):
    world.store.put_value("before", b"")
    async with world.running() as runtime:
        await world.send("one")
        await world.send("two")
        await until(lambda: len(world.pool.contexts) == 2 and runtime.is_idle())
    first, second = world.pool.contexts
    assert first.address == world.owner.address
    assert first.signing_key == world.owner.identity.signing_key
    assert first.exchange_secret == world.owner.identity.exchange_secret
    assert first.seed != second.seed
    assert len(first.seed) == 32


async def test_effects_go_out_only_when_their_step_is_committed(tmp_path, world):
    url = f"sqlite:///{tmp_path / 'owner.sqlite'}"
    world.store = DyingStore(url)
    world.pool.script = answering(world)
    reader = Store(url)
    seen = []

    def committed():
        row = reader.instance("1")
        return None if row is None else row.state

    async def on_submit(_call):
        seen.append(("call", committed()))

    world.chain.on_submit = on_submit
    world.broker.tap = lambda message: (
        message.envelope.sender == world.owner.address and seen.append(("message", committed()))
    )
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: len(seen) == 2 and runtime.is_idle())
    assert sorted(seen) == [("call", b"one "), ("message", b"one ")]
    reader.close()


async def test_a_message_that_comes_twice_is_one_input(world):
    async with world.running() as runtime:
        for _ in range(2):
            await world.send("one", message_id=b"m" * 16)
        await world.send("two")
        await until(lambda: world.store.instance("1") and b"two" in world.store.instance("1").state)
        await until(runtime.is_idle)
    assert world.store.instance("1").state == b"one two "


async def test_instances_do_not_wait_for_each_other(world):
    waiting = asyncio.Event()

    async def run(role, state, item, context, inner=world.pool.run):
        if said(item) == "slow":
            await waiting.wait()
        return await inner(role, state, item, context)

    world.pool.run = run
    async with world.running() as runtime:
        await world.send("slow", training=1)
        await world.send("quick", training=2)
        await until(lambda: world.store.instance("2") is not None)
        assert world.store.instance("1") is None
        assert not runtime.is_idle()
        waiting.set()
        await until(runtime.is_idle)
    assert world.store.instance("1").state == b"slow "


# ---- a process that dies ----

PLACES = [
    f"{when} {what}"
    for what in ("add_inputs", "write_step", "publish", "effects_done", "submit", "timer_to_input")
    for when in ("before", "after")
]


@pytest.mark.parametrize("place", PLACES)
async def test_wherever_the_process_dies_the_outcome_is_the_same(world, place):
    world.pool.script = answering(world)
    for code in MESSAGES:
        await world.send(code)
    faults = Faults(place)
    async with world.running(faults):
        await until(lambda: faults.dead)
    async with world.running() as runtime:
        await until(lambda: world.store.instance("1") and b"late" in world.store.instance("1").state)
        await until(runtime.is_idle)
    assert world.store.instance("1").state == b"one two three late "
    assert [data["of"] for _name, data, _at in world.store.facts("1")] == [*MESSAGES, "late"]
    assert sorted(await world.heard()) == sorted(f"re_{word}" for word in (*MESSAGES, "late"))
    made = [call.training for call in world.chain.calls]
    assert set(made) == {3, 5, 4}
    assert len(made) <= 5  # at most one call was made again, which the client recognises
    assert world.letters() == []


async def test_a_timer_that_ran_out_while_the_daemon_was_down_fires(world):
    world.store.add_inputs([(b"1" * 32, "1", b"-")])
    writes = StepWrites(1, b"before ", "READY", finished=False, references=frozenset())
    writes.timers = {"past": 5.0, "future": 1e12}
    world.store.write_step(world.store.next_input("1"), writes, now=0.0)
    async with world.running() as runtime:
        await until(lambda: world.store.instance("1").state == b"before past ")
        await until(runtime.is_idle)
    assert world.store.next_timer_at() == 1e12


async def test_a_timer_that_a_step_sets_fires_while_the_daemon_runs(world):
    def script(state, item, _context):
        effects = [SetTimer(name="soon", seconds=0.01)] if isinstance(item, MessageReceived) else []
        return step(heard_so_far(state, item), *effects)

    world.pool.script = script
    async with world.running() as runtime:
        await until(runtime.is_idle)
        await world.send("one")
        await until(lambda: world.store.instance("1") and b"soon" in world.store.instance("1").state)


async def test_told_to_stop_it_stores_the_step_in_hand_and_takes_no_other(world):
    started, go_on = asyncio.Event(), asyncio.Event()

    async def run(role, state, item, context, inner=world.pool.run):
        started.set()
        await go_on.wait()
        return await inner(role, state, item, context)

    world.pool.run = run
    runtime = world.runtime(Faults())
    running = asyncio.create_task(runtime.run())
    await world.send("one")
    await world.send("two")
    await started.wait()
    await until(lambda: world.store.waiting_inputs() == 2)
    runtime.stop()
    go_on.set()
    await asyncio.wait_for(running, 60)
    assert world.store.instance("1").state == b"one "
    assert world.store.waiting_inputs() == 1
    async with world.running():
        await until(lambda: world.store.instance("1").state == b"one two ")


# ---- the chain ----


async def test_a_refused_call_comes_back_as_an_input(world):
    inputs = []

    def script(state, item, _context):
        inputs.append(item)
        effects = [SubmitCall(call=Withdraw())] if isinstance(item, MessageReceived) else []
        return step(heard_so_far(state, item), *effects)

    world.pool.script = script
    world.chain.refusals["withdraw"] = "no_credit"
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: len(inputs) == 2 and runtime.is_idle())
    assert inputs[1] == CallRefused(call=Withdraw(), code="no_credit")
    assert world.store.waiting_effects() == 0
    assert world.chain.calls == []


async def test_an_event_reaches_its_instance_once_and_others_nobody(world):
    bus = MemoryBus(world.broker)
    await bus.publish_event(event_of(Withdrawn(account=world.owner.address, amount=1)), "confirmed")
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.store.instance("1") and runtime.is_idle())
        settled = event_of(settled_event(1), 2)
        for _ in range(2):
            await bus.publish_event(settled, "confirmed")
        await bus.publish_event(event_of(settled_event(9), 3), "confirmed")
        await until(lambda: not world.broker.streams["confirmed", world.owner.address].ready)
        await until(lambda: world.store.instance("1").state == b"one event ")
        await until(runtime.is_idle)
    assert [row.key for row in world.store.instances()] == ["1"]
    assert world.store.instance("1").state == b"one event "


async def test_events_right_after_the_opening_are_not_lost(world):
    """Anyone registered may join in the next block, long before the opening's step is done."""
    request = any_request(aggregator=world.aggregator.address)
    opened = Opened(
        training=4,
        buyer="0x" + "b0" * 20,
        aggregator=world.aggregator.address,
        deposit=10**18,
        terms=request.terms(),
    )
    bus = MemoryBus(world.broker)
    for number, event in enumerate((opened, settled_event(4)), start=1):
        await bus.publish_event(event_of(event, number), "confirmed")
    world.owner, world.aggregator = world.aggregator, world.owner
    role = AggregatorRole(world.store, world.owner.address, frozenset())
    async with world.running(role=role) as runtime:
        await until(lambda: world.store.instance("4") and runtime.is_idle())
        await until(lambda: world.store.instance("4").state == b"event event ")


async def test_while_the_chain_is_down_nothing_is_refused_and_then_all_goes_on(world):
    world.chain.down = True
    world.pool.script = answering(world)
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.chain.asked >= 3)
        assert world.letters() == []
        assert world.store.instance("1") is None
        world.chain.down = False
        await until(lambda: world.chain.calls and runtime.is_idle())
    assert world.store.instance("1").state == b"one "
    assert await world.heard() == ["re_one"]


async def test_a_step_that_needs_the_chain_waits_for_it(world):
    class Asking(AggregatorRole):
        name = "data_owner"

        async def exchange_keys(self, training):
            await world.chain.owners(training)
            return {}

    async with world.running(role=Asking(world.store, world.owner.address, frozenset())) as runtime:
        await world.send("one")  # from now on its sender's role is known
        await until(lambda: world.store.instance("1") and runtime.is_idle())
        world.chain.down = True
        asked = world.chain.asked
        await world.send("two")
        await until(lambda: world.chain.asked >= asked + 3)
        assert world.store.waiting_inputs() == 1
        world.chain.down = False
        await until(lambda: world.store.instance("1").state == b"one two ")


# ---- faults of others and of ours ----


async def test_a_peers_fault_at_the_first_word_is_a_dead_letter(world):
    def script(state, item, _context):
        if said(item) == "bad":
            raise ProtocolViolation("unknown_training", "no such training")
        return step(heard_so_far(state, item))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("bad")
        await world.send("good")
        await until(lambda: world.letters() and runtime.is_idle() and world.store.instance("1"))
    assert world.letters() == [("unknown_training", "no such training")]
    assert world.store.instance("1").state == b"good "


async def test_a_reported_violation_is_a_dead_letter_and_a_fact(world):
    def script(state, item, _context):
        if said(item) == "bad":
            report = ReportViolation(code="not_mine", detail="seat 3", accused=world.aggregator.address)
            return step(state, report)
        return step(heard_so_far(state, item))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("good")
        await world.send("bad")
        await until(lambda: world.letters() and runtime.is_idle())
    assert world.letters() == [("not_mine", "seat 3")]
    assert world.store.instance("1").state == b"good "
    facts = [(name, data["code"]) for name, data, _at in world.store.facts("1")]
    assert facts == [("violation", "not_mine")]


async def test_a_forged_message_never_becomes_an_input(world):
    stranger = Person("federated_aggregator")
    world.chain.roles[stranger.address] = "federated_aggregator"
    body = Complaint(code="forged", accused=world.owner.address, evidence=())
    message = stranger.outgoing(world.owner, body)
    forged = message.envelope.model_copy(update={"sender": world.aggregator.address})
    await MemoryBus(world.broker).publish(replace(message, envelope=forged))
    async with world.running() as runtime:
        await world.send("honest")
        await until(lambda: world.store.instance("1") and runtime.is_idle())
    assert [code for code, _detail in world.letters()] == ["bad_signature"]
    assert world.store.instance("1").state == b"honest "


async def test_a_bug_of_ours_stops_one_input_and_tells_no_secret(world):
    def script(state, item, context):
        if said(item) == "bug":
            private_weights = [SECRET]
            raise KeyError(private_weights[0], context.signing_key)
        return step(heard_so_far(state, item))

    world.pool.script = script
    with capture_logs() as logs:
        async with world.running() as runtime:
            for code in ("one", "bug", "two"):
                await world.send(code)
            await until(lambda: world.letters() and runtime.is_idle())
            await until(lambda: world.store.instance("1").state == b"one two ")
    assert world.letters() == [("internal_error", "")]
    (told,) = [line for line in logs if line["event"] == "step_failed"]
    assert told["error"] == "KeyError"
    assert told["input"] == "complaint"
    assert told["place"].rpartition(":")[0] == __file__
    assert SECRET not in repr(logs)
    assert world.owner.identity.signing_key.hex() not in repr(logs)
    assert repr(world.owner.identity.signing_key) not in repr(logs)


async def test_a_bug_at_a_timer_or_an_event_leaves_no_letter(world):
    def script(state, item, _context):
        if isinstance(item, TimerFired | EventConfirmed):
            raise ZeroDivisionError
        return step(heard_so_far(state, item), SetTimer(name="soon", seconds=0.0))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.store.instance("1") is not None)
        event = event_of(settled_event(1))
        await MemoryBus(world.broker).publish_event(event, "confirmed")
        await until(lambda: not world.broker.streams["confirmed", world.owner.address].ready)
        await until(lambda: world.store.next_timer_at() is None and runtime.is_idle())
    assert world.store.instance("1").state == b"one "
    assert world.letters() == []


async def test_a_recipient_that_the_chain_does_not_know_costs_its_message_alone(world):
    def script(state, item, _context):
        body = Complaint(code="lost", accused=world.owner.address, evidence=())
        lost = SendMessage(message_id=b"m" * 16, recipient="0x" + "66" * 20, body=body)
        return step(heard_so_far(state, item), lost, SubmitCall(call=Withdraw()))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.chain.calls and runtime.is_idle())
    ((name, data, _at),) = world.store.facts("1")
    assert (name, data["code"], data["recipient"]) == ("undeliverable", "not_registered", "0x" + "66" * 20)


# ---- outside all trainings ----


async def test_messages_outside_all_trainings_are_answered(world):
    world.owner, world.aggregator = world.aggregator, world.owner
    owner, aggregator = world.aggregator, world.owner
    role = AggregatorRole(world.store, aggregator.address, frozenset({owner.address}))
    async with world.running(role=role) as runtime:
        announcement = owner.outgoing(
            aggregator, OwnerAnnouncement(model_kinds=("linear_regression",)), training=0
        )
        await MemoryBus(world.broker).publish(announcement)
        await until(lambda: role.announced() and runtime.is_idle())
    assert role.announced() == (owner.address,)
    (answer,) = world.broker.queues["data_owner", owner.address].ready
    assert answer.fields["type"] == "announcement_answer"
    assert world.pool.contexts == []


async def test_a_daemon_may_speak_first(world):
    body = Complaint(code="hello", accused=world.owner.address, evidence=())
    async with world.running() as runtime:
        await runtime.send(world.aggregator.address, body)
        await until(runtime.is_idle)
    assert await world.heard() == ["hello"]


# ---- identities ----


def test_nobody_can_use_up_anothers_message_ids(world):
    mine = world.owner.envelope(world.aggregator, "complaint", message_id=b"m" * 16)
    same = world.owner.envelope(world.aggregator, "complaint", message_id=b"m" * 16, round=3)
    others = mine.model_copy(update={"sender": world.aggregator.address})
    assert message_identity(mine) == message_identity(same)
    assert message_identity(mine) != message_identity(others)


def test_two_firings_of_a_timer_are_two_inputs():
    assert timer_identity("1", "join", 1.0) != timer_identity("1", "join", 2.0)
    assert timer_identity("1", "join", 1.0) != timer_identity("2", "join", 1.0)
    assert queued(TimerFired(name="join")) == queued(TimerFired(name="join"))
