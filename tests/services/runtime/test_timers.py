"""Timers count the time in which a daemon can hear, and nothing else."""

import asyncio
import struct
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.effects import CancelTimer, SetTimer
from protocol.roles.engine.inputs import TimerFired
from services.common.errors import StoreUnavailable
from services.identity.directory import Directory
from services.runtime.effects import MessageWriter, writes_of
from services.runtime.input_codec import unqueued
from services.runtime.resources import Pace
from services.runtime.timers import GRACE_SECONDS, NODE_AWAY, Clock, Timers
from services.store import QueuedInput, StepWrites, Store
from services.store.database import store_outage
from tests.support.daemons.scripted_daemon import resources_of
from tests.support.daemons.service_world import MARKET, FakeChain, Person
from tests.support.database.full_disk import unwritable


class HandSet(Clock):
    """Clocks that stand still until a test moves them."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def wall(self) -> float:
        return self._world.wall

    def monotonic(self) -> float:
        return self._world.monotonic


class World:
    """A store with one timer, two clocks and a broker that can be away."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_000_000.0, 50.0
        self.bus: Any = SimpleNamespace(is_connected=True)
        self.obstacle: str | None = None
        self.store = Store(rest_seconds=0.0, outage=store_outage(0.0))
        self.woken: list[str] = []
        self.keeper = self.started()

    def started(self) -> Timers:
        owner = Person("data_owner")
        resources = resources_of(owner, FakeChain(owner), self.store, self.bus)
        keeper = Timers(resources, self.woken.append, obstacle=lambda: self.obstacle, clock=HandSet(self))
        keeper.resume()
        return keeper

    def set_timer(self, seconds: float) -> None:
        self.store.add_inputs([(b"\1" * 32, "1", b"")])
        item = self.store.next_input("1")
        assert isinstance(item, QueuedInput)
        writes = StepWrites(1, b"state", "WAITING", False, frozenset(), timers={"updates:1": seconds})
        self.store.write_step(item, writes, self.wall)

    def wait(self, seconds: float) -> None:
        """Time passes, and the keeper looks as often as it does."""
        until = self.wall + seconds
        while self.wall < until:
            step = min(1.0, until - self.wall)
            self.pass_(step)
            self.look()

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def look(self) -> None:
        with suppress(StoreUnavailable):
            self.keeper.look()

    @property
    def fired(self) -> bool:
        item = self.store.next_input("1")
        return item is not None and unqueued(item.content) == TimerFired(name="updates:1")


@pytest.fixture
def world() -> World:
    world = World()
    world.set_timer(120.0)
    return world


def test_a_timer_fires_when_its_time_is_over(world: World) -> None:
    world.wait(119)
    assert not world.fired
    world.wait(1)
    assert world.fired
    assert world.woken == ["1"]


def test_the_time_in_which_the_daemon_was_stopped_does_not_count(world: World) -> None:
    world.wait(60)
    world.pass_(100_000)
    world.keeper = world.started()
    world.look()
    assert not world.fired
    world.wait(59)
    assert not world.fired
    world.wait(1 + Pace().beat)
    assert world.fired


def test_after_a_stop_the_backlog_comes_first(world: World) -> None:
    world.wait(119)
    world.pass_(3600)
    world.keeper = world.started()
    world.wait(GRACE_SECONDS - 1)
    assert not world.fired
    world.wait(1 + Pace().beat)
    assert world.fired


def test_the_time_in_which_the_broker_is_away_does_not_count(world: World) -> None:
    world.wait(100)
    world.bus.is_connected = False
    world.wait(3600)
    assert not world.fired
    world.bus.is_connected = True
    world.wait(18)
    assert not world.fired
    world.wait(4)
    assert world.fired


def test_the_time_in_which_the_own_node_is_away_does_not_count(world: World) -> None:
    world.wait(100)
    world.obstacle = NODE_AWAY
    world.wait(300)
    assert not world.fired
    world.obstacle = None
    world.wait(18)
    assert not world.fired
    world.wait(4)
    assert world.fired


def test_the_time_in_which_nothing_can_be_stored_does_not_count(world: World) -> None:
    world.wait(100)
    with unwritable(world.store):
        world.wait(200)
    assert not world.fired
    world.wait(18)
    assert not world.fired
    world.wait(4 + Pace().beat)  # so late it may have been found out that nothing could be stored
    assert world.fired


def test_what_ran_out_while_nothing_could_be_stored_waits_for_what_could_not_be_heard(world: World) -> None:
    world.wait(119)
    with unwritable(world.store):
        world.wait(2)
    world.look()
    world.wait(GRACE_SECONDS - 1)
    assert not world.fired
    world.wait(2 + Pace().beat)
    assert world.fired


def test_what_kept_time_from_counting_is_named(world: World) -> None:
    with capture_logs() as logs:
        world.wait(10)
        with unwritable(world.store):
            world.wait(20)
        world.wait(1)
        world.bus.is_connected = False
        world.look()
        world.wait(30)
        world.bus.is_connected, world.obstacle = True, NODE_AWAY
        world.wait(40)
        world.obstacle = None
        world.look()
    told = [line for line in logs if line["event"] == "timers_postponed"]
    assert [line["reason"] for line in told] == ["store away", "broker away, node away"]
    assert told[1]["seconds"] == 70


def test_a_stop_while_the_broker_is_away_does_not_count_either(world: World) -> None:
    world.wait(100)
    world.bus.is_connected = False
    world.wait(3600)
    world.pass_(3600)
    world.bus.is_connected = True
    world.keeper = world.started()
    world.wait(18)
    assert not world.fired
    world.wait(4 + Pace().beat)
    assert world.fired


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0])
def test_a_clock_that_is_set_changes_no_wait(world: World, jump: float) -> None:
    world.wait(60)
    world.wall += jump
    world.look()
    assert not world.fired
    world.wait(59)
    assert not world.fired
    world.wait(2)
    assert world.fired


def test_a_clock_that_was_set_back_does_not_hold_up_what_is_to_be_sent(world: World) -> None:
    world.store.add_effects("1", [("message", b"")], world.wall)
    [effect] = world.store.due_effects(world.wall)
    world.store.effect_failed(effect, world.wall + 60)
    world.wall -= 86_400
    world.look()
    world.wait(60)
    assert world.store.due_effects(world.wall)


def test_a_first_start_has_nothing_to_make_up_for(world: World) -> None:
    [noted] = world.store.values("alive_at").values()
    assert struct.unpack(">d", noted) == (world.wall,)


async def test_it_comes_round_and_takes_new_timers(world: World) -> None:
    task = asyncio.create_task(world.keeper.run())
    await asyncio.sleep(0)
    world.pass_(120)
    world.keeper.wake()
    async with asyncio.timeout(300):
        while not world.fired:
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "effect", [SetTimer(name="updates:1", seconds=60.0), CancelTimer(name="updates:1")], ids=["set", "cancel"]
)
async def test_a_firing_that_waits_behind_what_it_waited_for_is_forgotten(world, effect):
    world.store.add_inputs([(b"\2" * 32, "1", b"the updates, just in time"), (b"\3" * 32, "2", b"another")])
    world.wait(120)
    assert world.store.waiting_inputs() == 3
    just_in_time = world.store.next_input("1")
    step = EncodedStep(b"state", (effect,), frozenset(), "WAITING", 1, finished=False)
    writer = MessageWriter(Person("data_owner").identity, MARKET, Directory(FakeChain()))
    writes, _ = await writes_of(step, writer)
    world.store.write_step(just_in_time, writes, world.wall)
    assert world.store.next_input("1") is None
    assert [world.store.next_input("2").content] == [b"another"]
    assert len(world.store.timers_of("1")) == isinstance(effect, SetTimer)
