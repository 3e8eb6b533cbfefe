"""Heartbeats: a loop that is held up shows, and tasks that only wait still come round."""

import asyncio
import time

import pytest

from protocol.messages import Complaint
from services.observability.heartbeat import Heartbeats
from services.runtime.resources import Pace
from tests.support.daemons.scripted_daemon import World, until


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


@pytest.fixture
def quick(world):
    """Idle rounds of tests."""
    world.pace = Pace(idle=0.01, beat=0.01)


async def test_the_loop_ticks_and_says_by_how_much_it_was_late():
    heartbeats, ticks = Heartbeats(tick_seconds=0.01), []
    task = asyncio.create_task(heartbeats.run(lambda: ticks.append(heartbeats.at["loop"])))
    await until(lambda: len(ticks) >= 3)
    assert ticks == sorted(ticks)
    time.sleep(0.2)  # noqa: ASYNC251  what holds the loop up
    seen = len(ticks)
    await until(lambda: len(ticks) > seen)
    assert heartbeats.lag > 0.1
    task.cancel()


async def test_every_task_of_an_idle_daemon_comes_round_again(world, quick):
    async with world.running() as running:
        beats = running.resources.heartbeats.at
        await until(lambda: {"outbox", "timers", "messages", "events"} <= set(beats))
        before = dict(beats)
        await until(lambda: all(beats[task] > before[task] for task in ("outbox", "timers")))
        await world.send("one")
        await until(lambda: beats["messages"] > before["messages"])


async def test_a_task_that_hangs_comes_round_no_more(world, quick, monkeypatch):
    blocked = asyncio.Event()

    async def hangs(*_message):
        blocked.set()
        await asyncio.Event().wait()

    async with world.running() as running:
        monkeypatch.setattr(running.bus, "publish", hangs)
        body = Complaint(code="one", accused=world.owner.address, evidence=())
        await running.send(world.aggregator.address, body)
        await asyncio.wait_for(blocked.wait(), 300)
        stuck = dict(running.resources.heartbeats.at)
        await until(lambda: running.resources.heartbeats.at["timers"] > stuck["timers"] + 0.05)
        assert running.resources.heartbeats.at["outbox"] == stuck["outbox"]
