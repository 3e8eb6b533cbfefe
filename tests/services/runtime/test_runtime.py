"""A daemon: what goes in once becomes one step, and a step its effects."""

import asyncio

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from protocol.crypto.commitment_group import RSA_2048
from protocol.marketplace import Settle
from protocol.messages import Complaint, OwnerAnnouncement
from services.bus.memory import MemoryBus
from services.participants.federated_aggregator import AggregatorRole
from services.runtime.timers import Timers
from services.store import Store
from tests.support.daemons.scripted_daemon import (
    DyingStore,
    Faults,
    OwnerLike,
    World,
    answering,
    said,
    until,
)


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


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
    assert first.seed != second.seed
    assert len(first.seed) == 32
    assert first.commitment_group is RSA_2048


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


class TakingTurns(OwnerLike):
    """A role whose decisions bound each other."""

    def is_serialized(self, item):
        return said(item) != "free"


async def test_steps_that_bound_each_other_take_turns(world):
    """Each sees what the one before has written; other steps do not wait for them."""
    inside, most, seen = set(), 0, []

    async def run(role, state, item, context, inner=world.pool.run):
        nonlocal most
        seen.append((said(item), len(world.store.instances())))
        inside.add(said(item))
        most = max(most, len(inside - {"free"}))
        await asyncio.sleep(0.02)
        inside.discard(said(item))
        return await inner(role, state, item, context)

    world.pool.run = run
    async with world.running(role=TakingTurns(world.store)) as runtime:
        for training, word in enumerate(["one", "two", "three", "free"], start=1):
            await world.send(word, training=training)
        await until(lambda: len(world.store.instances()) == 4 and runtime.is_idle())
    assert most == 1
    turns = [number for word, number in seen if word != "free"]
    assert turns == sorted(set(turns)), "a step in its turn sees the step before it stored"


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


# ---- what an operator sees ----


async def test_what_is_logged_during_a_step_names_training_round_and_message(world):
    def script(state, item, context):
        if said(item) == "bug":
            raise KeyError
        return answering(world)(state, item, context)

    world.pool.script = script
    with capture_logs(processors=[merge_contextvars]) as logs:
        async with world.running() as runtime:
            await world.send("one", training=5, round=2, message_id=b"\1" * 16)
            await world.send("bug", training=6, round=3, message_id=b"\2" * 16)
            await until(lambda: world.letters() and world.store.instance("5") and runtime.is_idle())
    places = {
        line["event"]: (line["training"], line["round"], line["message_id"])
        for line in logs
        if line["event"] in {"told", "step_failed", "input_refused"}
    }
    second = (6, 3, "02" * 16)
    assert places == {"told": (1, 2, "01" * 16), "step_failed": second, "input_refused": second}


async def test_a_daemon_ends_when_a_task_ends_that_nobody_stopped(world, monkeypatch):
    """Libraries cancel what waits on a connection that is closed: a daemon must not go on like that."""

    async def cancelled_from_inside(_timers):
        asyncio.get_running_loop().call_soon((waiting := asyncio.Future()).cancel)
        await waiting

    monkeypatch.setattr(Timers, "run", cancelled_from_inside)
    with pytest.raises(ExceptionGroup) as ended:
        await world.runtime(Faults()).run()
    assert "ended by itself" in str(ended.value.exceptions[0])


async def test_a_daemon_that_is_told_to_stop_before_it_began_ends(world):
    runtime = world.runtime(Faults())
    runtime.stop()
    async with asyncio.timeout(300):
        await runtime.run()
