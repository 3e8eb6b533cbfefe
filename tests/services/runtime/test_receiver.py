"""Taking in by the batch: one commit, in order, acked after it and never before."""

import asyncio
from contextlib import suppress

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from protocol.errors import ProtocolViolation
from protocol.messages import Complaint, OwnerAnnouncement
from services.bus.memory import MemoryBus
from services.observability.counters import Meter
from services.runtime.input_codec import unqueued
from services.runtime.receiver import Receiver
from services.runtime.resources import Pace
from services.runtime.role_adapter import NO_TRAINING, Role
from services.store import Store
from tests.support.daemons.scripted_daemon import code_of, resources_of, until
from tests.support.daemons.service_world import FakeChain, Person, broker_of, delivery_of


class RecordingStore(Store):
    """Remembers each commit, and may fail."""

    def __init__(self):
        super().__init__()
        self.batches, self.broken = [], False

    def add_messages(self, messages):
        if self.broken:
            raise OSError("disk full")
        self.batches.append(len(messages))
        return super().add_messages(messages)


class World:
    def __init__(self):
        self.aggregator, self.owner = Person("federated_aggregator"), Person("data_owner")
        self.chain = FakeChain(self.aggregator, self.owner)
        self.store, self.woken, self.meter = RecordingStore(), [], Meter()
        self.role = Role(self.store)
        self.role.name = "data_owner"
        self.receiving = self.receiver()

    def receiver(self, **bounds):
        changes = {"role": self.role, "meter": self.meter, "pace": Pace(retry=0.01)}
        resources = resources_of(self.owner, self.chain, self.store, **changes)
        return Receiver(resources, self.woken.append, **bounds)

    def delivery(self, code="hello", **changes):
        body = Complaint(code=code, accused=self.owner.address, evidence=())
        return delivery_of(self.aggregator.outgoing(self.owner, body, **changes))

    def said(self, key="1"):
        found = []
        while (item := self.store.next_input(key)) is not None:
            found.append(code_of(unqueued(item.content).signed.body))
            self.store.finish_input(item, 0.0)
        return found


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


async def test_a_batch_is_one_commit_in_the_order_it_came(world):
    batch = [world.delivery(f"n{number}", training=1 + number % 2) for number in range(20)]
    await world.receiving.take(batch)
    assert world.store.batches == [20]
    assert all(one.acked for one in batch)
    assert sorted(world.woken) == ["1", "2"]
    assert world.said("1") == [f"n{number}" for number in range(0, 20, 2)]
    assert world.said("2") == [f"n{number}" for number in range(1, 20, 2)]


async def test_nothing_is_acked_that_is_not_stored(world):
    world.store.broken = True
    batch = [world.delivery() for _ in range(3)]
    with pytest.raises(OSError, match="disk full"):
        await world.receiving.take(batch)
    assert not any(one.acked or one.refused for one in batch)
    assert world.woken == []


async def test_one_bad_message_stops_none_of_its_batch(world):
    good, bad, last = world.delivery("good"), world.delivery("bad"), world.delivery("last")
    bad.envelope_fields = {**bad.envelope_fields, "version": "1.0"}
    await world.receiving.take([good, bad, last])
    assert world.store.batches == [2]
    assert bad.refused[0] == "unsupported_version"
    assert good.acked
    assert last.acked
    assert world.said() == ["good", "last"]


async def test_while_the_chain_is_away_what_came_before_is_stored_and_order_is_kept(world):
    known, stranger = world.delivery("known"), Person("federated_aggregator")
    await world.receiving.take([known])
    world.chain.roles[stranger.address] = stranger.role
    body = Complaint(code="stranger", accused=world.owner.address, evidence=())
    batch = [
        world.delivery("first"),
        delivery_of(stranger.outgoing(world.owner, body)),
        world.delivery("last"),
    ]
    world.chain.down = True
    asked = world.chain.asked
    task = asyncio.create_task(world.receiving.take(batch))
    await until(lambda: world.chain.asked >= asked + 3)
    assert (batch[0].acked, batch[1].acked, batch[2].acked) == (True, False, False)
    world.chain.down = False
    await task
    assert world.said() == ["known", "first", "stranger", "last"]
    assert world.meter.retries["gate"] >= 3


async def test_a_message_outside_trainings_sees_those_before_it(world):
    """A buyer's second order for a request must be seen to be the second, also in the same batch."""
    seen = []

    def key_of_message(signed):
        seen.append(world.store.waiting_inputs())
        if world.store.waiting_inputs() == 2:
            raise ProtocolViolation("ordered_already", "")
        return NO_TRAINING if signed.envelope.training == 0 else "1"

    world.role.key_of_message = key_of_message
    batch = [world.delivery(f"n{number}", training=0) for number in range(3)]
    await world.receiving.take(batch)
    assert seen == [0, 1, 2]
    assert batch[2].refused == ("ordered_already", "")
    assert world.store.waiting_inputs() == 2


async def test_a_replay_is_refused_and_a_repetition_is_acked(world):
    first, other = (
        world.delivery("first", message_id=b"i" * 16),
        world.delivery("other", message_id=b"i" * 16),
    )
    again = type(first)(first.envelope_fields, first.body)
    await world.receiving.take([first, again, other])
    assert first.acked
    assert again.acked
    assert other.refused[0] == "replayed"
    assert not other.acked
    assert world.said() == ["first"]


async def test_nobody_makes_anothers_message_a_replay(world):
    stranger = Person("model_buyer")
    world.chain.roles[stranger.address] = stranger.role
    body = Complaint(code="mine", accused=world.owner.address, evidence=())
    early = delivery_of(stranger.outgoing(world.owner, body, message_id=b"i" * 16))
    late = world.delivery("honest", message_id=b"i" * 16)
    await world.receiving.take([early, late])
    assert late.acked
    assert world.said() == ["mine", "honest"]


async def test_what_has_arrived_goes_into_one_commit_up_to_the_bound(world):
    receiver = world.receiver(batch=8)
    broker = broker_of(world.owner, world.aggregator)
    sender, bus = MemoryBus(broker), MemoryBus(broker)
    for number in range(30):
        body = Complaint(code=f"n{number}", accused=world.owner.address, evidence=())
        await sender.publish(world.aggregator.outgoing(world.owner, body))
    task = asyncio.create_task(receiver.run(bus.deliveries("data_owner", world.owner.address)))
    await until(lambda: sum(world.store.batches) == 30)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert max(world.store.batches) == 8
    assert len(world.store.batches) == 4
    assert world.said() == [f"n{number}" for number in range(30)]


async def test_a_refusal_is_logged_with_the_messages_place(world):
    bad = delivery_of(
        world.aggregator.outgoing(
            world.owner, OwnerAnnouncement(model_kinds=("linear_regression",)), training=3, round=2
        )
    )
    with capture_logs(processors=[merge_contextvars]) as logs:
        await world.receiving.take([bad, world.delivery()])
    (line,) = logs
    assert (line["event"], line["code"]) == ("message_refused", "wrong_route")
    assert (line["training"], line["round"]) == (3, 2)
    assert line["message_id"] == bad.envelope_fields["message_id"].hex()
