"""Events are announced by whoever may publish them; the own node says which of them have taken place."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from protocol.errors import ProtocolViolation
from protocol.marketplace import Withdrawn
from services.bus.memory import MemoryBus
from services.chain.errors import ChainUnavailable, RpcError
from services.common.errors import StoreUnavailable
from services.observability.counters import Meter
from services.runtime.event_receiver import MOST_WAITING, PATIENCE_SECONDS, EventReceiver
from services.runtime.input_codec import unqueued
from services.runtime.resources import Pace
from services.runtime.role_adapter import Role
from services.store import Store
from tests.support.daemons.scripted_daemon import resources_of, settled_event, until
from tests.support.daemons.service_world import FakeChain, Person, broker_of, event_of
from tests.support.seats import seat_taken

PACE = Pace(retry=0.005, first_pause=0.005, away_pause=0.005)


class ScriptedNode:
    """Has confirmed the blocks up to `newest`, in which everything is true but what is in `refused`."""

    def __init__(self) -> None:
        self.newest, self.behind, self.down = 100, None, False
        self.refused: dict[int, str] = {}
        self.pruned: set[int] = set()
        self.checked = []

    async def has_confirmed(self, block_number):
        if block_number > self.newest:  # of older ones it is known
            self._ask()
        return block_number <= self.newest

    def has_reached(self, block_number):
        return block_number <= self.newest

    def may_be_reached(self, block_number):
        return block_number <= self.newest + 10_000

    def lag(self):
        return self.behind

    async def fresh_lag(self):
        self._ask()
        return self.behind

    async def check(self, event):
        self._ask()
        if event.block_number in self.pruned:
            raise RpcError("eth_getLogs", -32000, "history is pruned")
        self.checked.append(event.block_number)
        if event.block_number in self.refused:
            raise ProtocolViolation(self.refused[event.block_number], "the node shows another")

    def _ask(self):
        if self.down:
            raise ChainUnavailable("no answer from the node")


class World:
    """An owner that knows the trainings 1 and 2; the number of an event's block tells events apart."""

    def __init__(self) -> None:
        self.owner, self.node, self.meter = Person("data_owner"), ScriptedNode(), Meter()
        self.store, self.broker, self.woken, self.now = Store(), broker_of(self.owner), [], 0.0
        self.role = Role(self.store)
        self.role.name = "data_owner"
        for training in (1, 2):
            self.store.add_inputs([(bytes([training]), str(training), b"first")], training=training)
            self.store.finish_input(self.store.next_input(str(training)), 0.0)
        self.bus = MemoryBus(self.broker)
        resources = resources_of(
            self.owner,
            FakeChain(),
            self.store,
            self.bus,
            role=self.role,
            node=self.node,
            meter=self.meter,
            pace=PACE,
        )
        self.receiver = EventReceiver(resources, self.woken.append, clock=lambda: self.now)

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.receiver.run(self.bus.events("confirmed", self.owner.address)))
        try:
            yield
        finally:
            assert not task.done(), task.result()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await self.bus.close()

    async def announce(self, number, training=1):
        await MemoryBus(self.broker).publish_event(event_of(settled_event(training), number), "confirmed")

    def taken(self, training=1):
        """The blocks of the events in the inbox, in order; they are taken out."""
        numbers = []
        while (item := self.store.next_input(str(training))) is not None:
            numbers.append(unqueued(item.content).chain_event.block_number)
            self.store.finish_input(item, 0.0)
        return numbers

    def on_queue(self):
        """Events that are unacked once the daemon is gone."""
        return len(self.broker.streams["confirmed", self.owner.address].ready)

    def letters(self):
        return [letter.code for letter in self.broker.dead_letters]

    def refusals(self, training=1):
        return [data for name, data, _at in self.store.facts(str(training)) if name == "event_refused"]


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


async def test_what_the_node_contradicts_reaches_nobody_and_is_noted_counted_and_kept(world):
    world.node.refused = {7: "event_altered", 8: "event_altered", 9: "event_not_on_chain"}
    with capture_logs() as logs:
        async with world.running():
            for number in (7, 8, 9, 10):
                await world.announce(number)
            await until(lambda: world.node.checked == [7, 8, 9, 10] and world.woken)
    assert world.taken() == [10]
    assert world.letters() == ["event_altered", "event_altered", "event_not_on_chain"]
    assert world.bus.dead_letters == {"event_altered": 2, "event_not_on_chain": 1}
    kinds = ("event_altered", "event_not_on_chain")
    assert world.refusals() == [{"kind": "Settled", "code": code} for code in kinds]
    told = [line["detail"] for line in logs if line["event"] == "event_refused"]
    assert told == ["the node shows another"] * 3
    assert [name for name, *_ in world.store.facts("chain:1")] == ["Settled"]
    assert world.on_queue() == 0


async def test_a_refused_event_does_not_stand_in_for_the_true_one_of_the_same_log(world):
    world.node.refused = {7: "event_altered"}
    async with world.running():
        await world.announce(7)
        await until(world.letters)
        world.node.refused = {}
        await world.announce(7)
        await world.announce(7)
        await until(lambda: len(world.node.checked) == 3)
    assert world.taken() == [7]


async def test_events_beyond_the_node_wait_in_the_order_of_the_chain_and_hold_up_none_before_them(world):
    async with world.running():
        for number, training in ((103, 1), (101, 1), (50, 2), (102, 1), (51, 2)):
            await world.announce(number, training)
        await until(lambda: world.node.checked == [50, 51])
        assert world.taken(2) == [50, 51]
        assert world.taken(1) == []
        world.node.newest = 102
        await until(lambda: world.node.checked[2:] == [101, 102])
        assert world.taken(1) == [101, 102]
    assert world.on_queue() == 1


async def test_while_the_node_is_down_nothing_is_refused_health_says_so_and_then_all_goes_on(world):
    world.node.down = True
    async with world.running():
        await world.announce(7)
        await until(lambda: world.meter.retries["event"] >= 3)
        with pytest.raises(ChainUnavailable, match="contract events wait for the node: no answer"):
            await world.receiver.probe()
        world.node.down = False
        await until(lambda: world.node.checked == [7])
        await world.receiver.probe()
    assert world.taken() == [7]
    assert world.letters() == []


async def test_a_node_that_is_behind_is_waited_for_however_long_and_health_says_so(world):
    world.node.behind = "the node's newest block, 100, is 4000 seconds old"
    async with world.running():
        for number in range(101, 101 + MOST_WAITING + 5):
            await world.announce(number)
        # One more is in hand for each of the two tasks; the rest stays on the queue.
        await until(lambda: world.on_queue() == 3)
        world.now = 10 * PATIENCE_SECONDS
        with pytest.raises(ChainUnavailable, match=f"{MOST_WAITING} contract events wait .* 4000 seconds"):
            await world.receiver.probe()
        assert world.letters() == []
        world.node.newest, world.node.behind = 101 + MOST_WAITING + 5, None
        await until(lambda: len(world.node.checked) == MOST_WAITING + 5)
        await world.receiver.probe()
    assert world.taken() == list(range(101, 101 + MOST_WAITING + 5))


async def test_an_event_that_the_node_cannot_show_holds_up_its_own_training_alone(world):
    world.node.pruned = {7}
    async with world.running():
        for number, training in ((7, 1), (8, 1), (9, 2)):
            await world.announce(number, training)
        await until(lambda: world.node.checked == [9])
        assert (world.taken(1), world.taken(2)) == ([], [9])
        with pytest.raises(ChainUnavailable, match=r"wait for the node: .* history is pruned"):
            await world.receiver.probe()
        await until(lambda: world.meter.retries["event"] >= 3)
        world.node.pruned = set()
        await until(lambda: world.node.checked == [9, 7, 8])
        await until(lambda: world.receiver.waiting == 0)
        await world.receiver.probe()
    assert world.taken(1) == [7, 8]
    assert world.letters() == []


async def test_events_that_a_node_never_shows_leave_their_places_to_others_in_the_end(world):
    world.node.pruned = set(range(1, 1 + MOST_WAITING))
    async with world.running():
        for number in world.node.pruned:
            await world.announce(number)
        await world.announce(50, training=2)
        await until(lambda: world.meter.retries["event"] >= 2 * MOST_WAITING)
        assert world.letters() == []  # an operator may have it mended
        world.now = PATIENCE_SECONDS
        await until(lambda: world.taken(2) == [50])
    assert set(world.letters()) == {"event_not_verifiable"}
    assert world.refusals() == [{"kind": "Settled", "code": "event_not_verifiable"}]


async def test_while_the_node_is_away_no_event_leaves_its_place(world):
    async with world.running():
        await world.announce(90, training=2)
        await until(lambda: world.node.checked == [90])
        world.node.down = True
        for number in range(1, 1 + MOST_WAITING):
            await world.announce(number)
        await until(lambda: world.receiver.waiting == MOST_WAITING)
        world.now = 2 * PATIENCE_SECONDS
        before = world.meter.retries["event"]
        await until(lambda: world.meter.retries["event"] >= before + 10)
        world.node.down = False
        await until(lambda: len(world.node.checked) == 1 + MOST_WAITING)
    assert world.taken(1) == list(range(1, 1 + MOST_WAITING))
    assert world.letters() == []


async def test_a_node_that_was_restored_and_catches_up_costs_no_event(world):
    """It has not the blocks any more that it had shown before, and answers whatever else it is asked."""
    async with world.running():
        world.node.pruned = set(range(1, 1 + MOST_WAITING))
        world.node.behind = "the node's newest block, 100, is 4000 seconds old"
        for number in world.node.pruned:
            await world.announce(number)
        await until(lambda: world.receiver.waiting == MOST_WAITING)
        world.now = 2 * PATIENCE_SECONDS
        before = world.meter.retries["event"]
        await until(lambda: world.meter.retries["event"] >= before + 10)
        world.node.pruned, world.node.behind = set(), None
        await until(lambda: len(world.node.checked) == MOST_WAITING)
    assert world.taken(1) == list(range(1, 1 + MOST_WAITING))
    assert world.letters() == []


async def test_what_no_chain_can_have_reached_takes_no_room_while_the_node_is_behind(world):
    world.node.behind = "the node's newest block, 100, is 4000 seconds old"
    async with world.running():
        for number in range(2 * MOST_WAITING):
            await world.announce(10**9 + number)
        await world.announce(50)
        await world.announce(101)
        await until(lambda: world.node.checked == [50])
        world.node.newest = 101
        await until(lambda: world.node.checked == [50, 101])
    assert set(world.letters()) == {"event_ahead_of_node"}


async def test_what_stays_beyond_a_node_that_keeps_up_is_given_up(world):
    async with world.running():
        await world.announce(10**12)
        await world.announce(50)
        await until(lambda: world.node.checked == [50])
        assert world.letters() == []
        await world.receiver.probe()  # the node is well: nobody can make its health fail from outside
        world.now = PATIENCE_SECONDS
        await until(lambda: world.letters() == ["event_ahead_of_node"])
    assert world.refusals() == [{"kind": "Settled", "code": "event_ahead_of_node"}]
    assert world.on_queue() == 0


async def test_a_flood_from_beyond_the_chain_leaves_room_for_what_comes_next(world):
    async with world.running():
        for number in range(3 * MOST_WAITING):
            await world.announce(10**9 + number)
        await world.announce(101)
        await until(lambda: world.on_queue() == 0)
        world.node.newest = 101
        await until(lambda: world.node.checked == [101])
    assert world.taken() == [101]
    assert set(world.letters()) == {"event_ahead_of_node"}
    assert len(world.letters()) > 2 * MOST_WAITING


async def test_an_event_that_comes_again_while_it_waits_waits_once(world):
    async with world.running():
        for _ in range(3 * MOST_WAITING):
            await world.announce(101)
        await until(lambda: world.on_queue() == 0)
        world.node.newest = 101
        await until(lambda: world.woken)  # what is in hand meanwhile is checked a second time
    assert world.taken() == [101]
    assert world.letters() == []


async def test_what_concerns_nobody_here_costs_no_question(world):
    async with world.running():
        await world.announce(5, training=9)
        stranger = event_of(Withdrawn(account="0x" + "57" * 20, amount=1), 6)
        joined = event_of(seat_taken(training=9, owner="0x" + "57" * 20, seat=0), 6)
        for event in (stranger, joined):
            await MemoryBus(world.broker).publish_event(event, "confirmed")
        await world.announce(7)
        await until(lambda: world.woken)
    assert world.node.checked == [7]


async def test_the_own_withdrawal_is_checked_before_it_is_shown(world):
    world.node.refused = {5: "event_not_on_chain"}
    async with world.running():
        for number in (5, 6):
            event = event_of(Withdrawn(account=world.owner.address, amount=number), number)
            await MemoryBus(world.broker).publish_event(event, "confirmed")
        await until(lambda: world.store.facts("chain:account"))
    ((name, data, _at),) = world.store.facts("chain:account")
    assert (name, data["amount"]) == ("Withdrawn", "6")


async def test_a_store_that_is_away_is_waited_for(world, monkeypatch):
    failures = [StoreUnavailable("the disk is full", 0.005)] * 3
    add_inputs = world.store.add_inputs

    def away(*values, **named):
        if failures:
            raise failures.pop()
        return add_inputs(*values, **named)

    monkeypatch.setattr(world.store, "add_inputs", away)
    async with world.running():
        await world.announce(7)
        await until(lambda: world.woken)
    assert world.taken() == [7]


async def test_a_stream_that_ends_by_itself_ends_the_daemon(world):
    async def nothing():
        for event in ():
            yield event

    with pytest.raises(ExceptionGroup) as ended:
        await world.receiver.run(nothing())
    assert ended.group_contains(RuntimeError, match="ended by itself")
