"""A disk that is full under a daemon: its log says so once, and no peer is blamed for it."""

import asyncio

import pytest

from protocol.roles.engine.effects import SetTimer
from protocol.roles.engine.inputs import MessageReceived
from services.bus.port import BusUnavailable, QueueFull
from services.common.errors import StoreUnavailable
from services.common.outages import Outage
from services.runtime.resources import Pace
from services.runtime.timers import BROKER_AWAY, NODE_AWAY
from services.store.database import store_outage
from tests.support.daemons.real_log import real_log
from tests.support.daemons.scripted_daemon import (
    DyingStore,
    World,
    answering,
    heard_so_far,
    said,
    step,
    until,
)
from tests.support.database.full_disk import full_disk, unwritable

REST_SECONDS, CALM_SECONDS = 0.02, 0.5


@pytest.fixture
def log():
    with real_log() as log:
        yield log


@pytest.fixture
def outage(log) -> Outage:
    return store_outage(CALM_SECONDS)


@pytest.fixture
def world(outage, tmp_path):
    """A daemon on a disk; how often it could not write is counted by `outage`."""
    store = DyingStore(f"sqlite:///{tmp_path}/state.sqlite", rest_seconds=REST_SECONDS, outage=outage)
    made = World(store, pace=Pace(retry=0.01, beat=0.05))
    yield made
    made.store.close()


async def test_a_full_disk_is_told_once_and_nothing_is_lost(world, outage, log):
    words = [f"word_{number}" for number in range(40)]
    world.pool.script = answering(world)
    async with world.running() as runtime:
        await world.send("first")
        await until(lambda: world.store.instance("1") and runtime.is_idle())
        with full_disk(world.store):
            for word in words:
                await world.send(word)
            await until(lambda: outage.attempts >= 30)
        await until(lambda: not outage.is_on)
        await until(lambda: world.store.instance("1").state.count(b" ") == 1 + len(words))
        await until(runtime.is_idle)
    assert log.troubles() == ["store_away", "store_back"]
    away, back = (line for line in log.lines if line["event"] in ("store_away", "store_back"))
    assert away["reason"] == (
        f"the store {world.store._database.place} cannot be written (database or disk is full): make room on "
        "its disk; what could not be stored waits"
    )
    assert back["attempts"] >= 30
    assert sorted(await world.heard()) == sorted(f"re_{word}" for word in ("first", *words))


async def test_a_peer_that_answered_while_the_disk_was_full_did_not_miss_its_deadline(world, outage, log):
    def script(state, item, _context):
        asks = isinstance(item, MessageReceived) and said(item) == "ask"
        return step(heard_so_far(state, item), *([SetTimer(name="deadline", seconds=0.3)] if asks else []))

    world.pool.script = script
    async with world.running():
        await world.send("ask")
        await until(lambda: world.store.next_timer_at() is not None)
        with unwritable(world.store):
            await world.send("answer")
            await asyncio.sleep(1.2)  # past the deadline
            await until(lambda: outage.attempts >= 3)
            with pytest.raises(StoreUnavailable):
                await world.store.ping()
        await until(lambda: not outage.is_on)
        await world.store.ping()
        await until(lambda: world.store.instance("1").state.endswith(b"deadline "))
    assert world.store.instance("1").state == b"ask answer deadline "
    (postponed,) = [line for line in log.lines if line["event"] == "timers_postponed"]
    assert postponed["reason"] == "store away"


@pytest.mark.parametrize(
    ("error", "obstacle"),
    [(BusUnavailable("no confirmation"), BROKER_AWAY), (QueueFull("its queue is full"), None)],
    ids=["broker", "recipient"],
)
async def test_time_does_not_count_while_the_broker_takes_no_question_of_ours(world, error, obstacle):
    """But somebody who reads nothing, so that its queue is full, cannot stop the clock of everybody."""
    world.pool.script = answering(world)
    refusals = iter([error] * 3)
    async with world.running() as runtime:
        publish, seen = runtime.bus.publish, []

        async def refuse(message):
            for refusal in refusals:
                raise refusal
            seen.append(runtime._obstacle())
            await publish(message)

        runtime.bus.publish = refuse
        await world.send("question")
        await until(lambda: seen and runtime.is_idle())
        assert seen == [obstacle]
        assert runtime._obstacle() is None


async def test_time_does_not_count_while_messages_wait_for_the_own_node(world, log):
    world.chain.down = True
    async with world.running() as runtime:
        await world.send("question")
        await until(lambda: world.chain.asked >= 3)
        assert runtime._obstacle() == NODE_AWAY
        world.chain.down = False
        await until(lambda: world.store.instance("1") and runtime.is_idle())
        assert runtime._obstacle() is None
    assert log.troubles() == ["gate_waits", "gate_passes"]
