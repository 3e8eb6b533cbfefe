"""A daemon that dies anywhere comes to the same end when it is started again."""

import asyncio

import pytest

from protocol.roles.engine.effects import SetTimer
from protocol.roles.engine.inputs import MessageReceived
from services.store import StepWrites
from tests.support.daemons.scripted_daemon import (
    Faults,
    World,
    answering,
    heard_so_far,
    step,
    until,
)

MESSAGES = ("one", "two", "three")


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


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
    await asyncio.wait_for(running, 300)
    assert world.store.instance("1").state == b"one "
    assert world.store.waiting_inputs() == 1
    async with world.running():
        await until(lambda: world.store.instance("1").state == b"one two ")
