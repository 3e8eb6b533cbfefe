"""Floods against a daemon's store: what others send by the thousand leaves a bounded trace."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from protocol.marketplace import Opened
from protocol.messages import Complaint, OwnerAnnouncement
from protocol.roles.engine.effects import ReportViolation
from services.bus.memory import MemoryBus
from services.participants.federated_aggregator import AggregatorRole
from services.participants.places import Places
from services.runtime.receiver import Receiver
from services.runtime.role_adapter import NO_TRAINING
from services.runtime.step_runner import REFUSALS_AT_ONCE
from services.store import StepWrites, Store
from tests.support.daemons.scripted_daemon import OwnerLike, World, resources_of, step, until
from tests.support.daemons.service_world import FakeChain, Person, broker_of, delivery_of
from tests.support.deployment.documents import KEY_ID, any_request

DAY_SECONDS = 86_400.0
AGGREGATOR, BUYER, OTHER = Person("federated_aggregator"), Person("model_buyer"), Person("model_buyer")


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


def rows(store: Store) -> dict[str, int]:
    """What the store holds now."""
    store.forget_counts()
    return {name: count for name, count in store.row_counts().items() if count}


def complaint(training: int, sender: Person = BUYER) -> Complaint:
    del training
    return Complaint(code="no", accused=sender.address, evidence=())


def opened(training: int, buyer: Person = BUYER, aggregator: Person = AGGREGATOR) -> Opened:
    terms = any_request(aggregator=aggregator.address).terms(KEY_ID)
    return Opened(
        training=training, buyer=buyer.address, aggregator=aggregator.address, deposit=80_000, terms=terms
    )


# ---- trainings that do not exist, or are others' ----


def receiver_of(store: Store, chain: FakeChain, role: AggregatorRole) -> Receiver:
    return Receiver(resources_of(AGGREGATOR, chain, store, role=role), lambda _key: None)


async def test_a_message_of_a_training_that_the_chain_does_not_know_leaves_no_row(store: Store) -> None:
    chain = FakeChain(AGGREGATOR, BUYER)
    chain.missing = set(range(1, 501))
    receiver = receiver_of(store, chain, AggregatorRole(store, AGGREGATOR.address, frozenset()))
    flood = [
        delivery_of(BUYER.outgoing(AGGREGATOR, complaint(number), training=number))
        for number in range(1, 501)
    ]
    await receiver.take(flood)
    assert {delivery.refused and delivery.refused[0] for delivery in flood} == {"unknown_training"}
    assert rows(store) == {}


async def test_a_flood_under_one_number_asks_the_node_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 200 messages are signed meanwhile.
    monkeypatch.setattr("services.runtime.unknown_trainings.ANSWER_SECONDS", 600.0)
    chain = FakeChain(AGGREGATOR, BUYER)
    chain.missing = {7}
    receiver = receiver_of(store, chain, AggregatorRole(store, AGGREGATOR.address, frozenset()))
    await receiver.take([delivery_of(BUYER.outgoing(AGGREGATOR, complaint(7), training=7))])
    asked = chain.asked
    await receiver.take(
        [delivery_of(BUYER.outgoing(AGGREGATOR, complaint(7), training=7)) for _ in range(200)]
    )
    assert chain.asked == asked


async def test_a_message_of_another_aggregators_training_leaves_no_row(store: Store) -> None:
    chain = FakeChain(AGGREGATOR, BUYER)
    chain.openings[3] = (BUYER.address, OTHER.address)
    receiver = receiver_of(store, chain, AggregatorRole(store, AGGREGATOR.address, frozenset()))
    delivery = delivery_of(BUYER.outgoing(AGGREGATOR, complaint(3), training=3))
    await receiver.take([delivery])
    assert delivery.refused == ("not_mine", "training 3")
    assert rows(store) == {}


async def test_the_first_message_of_a_training_that_names_us_is_taken(store: Store) -> None:
    chain = FakeChain(AGGREGATOR, BUYER)
    chain.openings[3] = (BUYER.address, AGGREGATOR.address)
    receiver = receiver_of(store, chain, AggregatorRole(store, AGGREGATOR.address, frozenset()))
    delivery = delivery_of(BUYER.outgoing(AGGREGATOR, complaint(3), training=3))
    await receiver.take([delivery])
    assert delivery.acked
    assert rows(store) == {"inbox": 1}


# ---- openings ----


def open_all(role: AggregatorRole, store: Store, openings: list[Opened]) -> list[int]:
    """Which openings start an instance, each stored as the runtime stores it."""
    taken = []
    for number, event in enumerate(openings):
        if (key := role.key_of_event(event)) is not None:
            store.add_inputs([(number.to_bytes(32, "big"), key, b"opened")], training=event.training)
            taken.append(event.training)
    return taken


def test_one_buyer_that_opens_a_thousand_trainings_takes_its_places_and_no_more(store: Store) -> None:
    places = Places(store, each_buyer=5, in_all=20)
    role = AggregatorRole(store, AGGREGATOR.address, frozenset(), places=places)
    assert open_all(role, store, [opened(number) for number in range(1, 1001)]) == [1, 2, 3, 4, 5]
    assert open_all(role, store, [opened(2000, OTHER)]) == [2000]


def test_many_buyers_take_all_places_and_no_more(store: Store) -> None:
    role = AggregatorRole(store, AGGREGATOR.address, frozenset(), places=Places(store, 5, 20))
    flood = [opened(number, Person("model_buyer")) for number in range(1, 41)]
    assert open_all(role, store, flood) == list(range(1, 21))


def test_a_training_that_ends_gives_its_place_back(store: Store) -> None:
    role = AggregatorRole(store, AGGREGATOR.address, frozenset(), places=Places(store, 1, 20))
    assert open_all(role, store, [opened(1), opened(2)]) == [1]
    end(store, "1", 1)
    assert role.key_of_event(opened(3)) == "3"


def test_who_bought_what_is_known_after_a_restart(store: Store) -> None:
    role = AggregatorRole(store, AGGREGATOR.address, frozenset(), places=Places(store, 1, 20))
    assert open_all(role, store, [opened(1)]) == [1]
    store.note("chain:1", ("Opened", {"training": "1", "buyer": BUYER.address}), 0.0)
    restarted = AggregatorRole(store, AGGREGATOR.address, frozenset(), places=Places(store, 1, 20))
    assert restarted.key_of_event(opened(2)) is None
    assert restarted.key_of_event(opened(2, OTHER)) == "2"


async def test_a_request_for_a_training_that_got_no_place_is_refused(store: Store) -> None:
    chain = FakeChain(AGGREGATOR, BUYER)
    chain.openings = dict.fromkeys((1, 2), (BUYER.address, AGGREGATOR.address))
    role = AggregatorRole(store, AGGREGATOR.address, frozenset(), places=Places(store, 1, 20))
    assert open_all(role, store, [opened(1), opened(2)]) == [1]
    delivery = delivery_of(BUYER.outgoing(AGGREGATOR, complaint(2), training=2))
    await receiver_of(store, chain, role).take([delivery])
    assert delivery.refused is not None
    assert delivery.refused[0] == "too_many_trainings"


# ---- participants ----


async def send_many(world: World, count: int) -> None:
    for number in range(count):
        await world.send(f"n{number}")


async def test_refused_messages_of_a_participant_leave_a_bounded_trace() -> None:
    """Its inbox rows, facts and letters end with its share; honest messages are taken all the while."""
    world = World()

    def script(state, item, _context):
        if item.signed.body and b"honest" in item.signed.body:
            return step((state or b"") + b"honest ")
        return step(state or b"start", ReportViolation(code="no", detail="", accused=None))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("first")
        await until(lambda: world.store.instance("1") is not None and runtime.is_idle())
        await send_many(world, 2 * REFUSALS_AT_ONCE)
        await world.send("honest")
        await until(lambda: world.store.instance("1").state.endswith(b"honest ") and runtime.is_idle())
        assert runtime.resources.meter.inputs_forgotten >= REFUSALS_AT_ONCE - 2
    found = rows(world.store)
    assert found["inbox"] <= REFUSALS_AT_ONCE + 5
    assert found["facts"] <= REFUSALS_AT_ONCE + 5
    assert len(world.letters()) <= REFUSALS_AT_ONCE + 5


async def test_announcements_of_a_stranger_leave_a_bounded_trace() -> None:
    stranger = Person("data_owner")
    chain = FakeChain(AGGREGATOR, stranger)
    world = World(owner=AGGREGATOR, aggregator=stranger)
    world.chain.roles = chain.roles
    world.chain.keys = chain.keys
    role = AggregatorRole(world.store, AGGREGATOR.address, frozenset())
    async with world.running(role=role) as runtime:
        bus = MemoryBus(world.broker)
        for _ in range(2 * REFUSALS_AT_ONCE):
            body = OwnerAnnouncement(model_kinds=("linear_regression",))
            await bus.publish(stranger.outgoing(AGGREGATOR, body, training=0))
        await until(lambda: runtime.resources.meter.inputs_forgotten >= REFUSALS_AT_ONCE - 2)
        await until(runtime.is_idle)
    found = rows(world.store)
    assert found["inbox"] <= REFUSALS_AT_ONCE + 2
    assert found["facts"] <= REFUSALS_AT_ONCE + 2


async def test_messages_wait_on_the_queue_while_the_inbox_is_full(store: Store) -> None:
    owner, aggregator = Person("data_owner"), Person("federated_aggregator")
    broker = broker_of(owner, aggregator)
    resources = resources_of(owner, FakeChain(owner, aggregator), store, role=OwnerLike(store))
    receiver = Receiver(resources, lambda _key: None, batch=1, most_waiting=3)
    bus = MemoryBus(broker)
    for _ in range(10):
        await bus.publish(aggregator.outgoing(owner, complaint(1, owner), training=1))
    task = asyncio.create_task(receiver.run(bus.deliveries("data_owner", owner.address)))
    try:
        await until(lambda: resources.meter.retries["room"] == 1)
        assert store.waiting_inputs() == 3
        taken = 0
        while taken < 10:
            await until(lambda: store.next_input("1") is not None)
            store.finish_input(store.next_input("1"), 0.0)
            taken += 1
            assert store.waiting_inputs() <= 3
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# ---- age ----


def end(store: Store, key: str, training: int, *facts: tuple[str, dict[str, object]]) -> None:
    """Have a training end at moment 0."""
    item = store.next_input(key)
    if item is None:
        store.add_inputs([(key.encode().rjust(32), key, b"x")], training=training)
        item = store.next_input(key)
    assert item is not None
    writes = StepWrites(training, b"state", "FAILED(no_request)", finished=True, references=frozenset())
    writes.facts.extend(facts)
    store.write_step(item, writes, 0.0)


def test_what_a_stranger_began_is_forgotten_wholly_and_what_we_took_part_in_is_kept(store: Store) -> None:
    end(store, "1", 1, ("gave_up", {"code": "no_request"}))
    end(store, "2", 2, ("invited", {"owners": 4}))
    store.note("chain:1", ("Opened", {"training": "1", "buyer": BUYER.address}), 0.0)
    assert store.archive(before=1.0) == 2
    assert [row.key for row in store.instances()] == ["2"]
    assert store.facts("1") == store.facts("chain:1") == []
    assert store.key_of(1) is None
    assert len(store.facts("2")) == 1


def test_what_belongs_to_no_training_goes_with_its_age(store: Store) -> None:
    store.add_inputs([(b"i" * 32, NO_TRAINING, b"x")])
    item = store.next_input(NO_TRAINING)
    assert item is not None
    store.finish_input(item, 5.0, facts=[("owner_announced", {"owner": "0x", "accepted": False})])
    now = time.time()
    store.archive(before=now - DAY_SECONDS)
    assert rows(store) == {"inbox": 1}  # its message could still be young enough to be admitted
    store.archive(before=now + 2 * DAY_SECONDS)
    assert rows(store) == {}


@pytest.mark.parametrize(
    ("age_seconds", "code"), [(91 * DAY_SECONDS, "too_old"), (-2 * DAY_SECONDS, "from_the_future")]
)
async def test_a_message_whose_id_may_be_forgotten_is_refused_for_its_age(
    store: Store, age_seconds: float, code: str
) -> None:
    owner = Person("data_owner")
    role = AggregatorRole(store, AGGREGATOR.address, frozenset({owner.address}))
    receiver = receiver_of(store, FakeChain(AGGREGATOR, owner), role)
    sent_at = int((time.time() - age_seconds) * 1000)
    body = OwnerAnnouncement(model_kinds=("linear_regression",))
    delivery = delivery_of(owner.outgoing(AGGREGATOR, body, training=0, sent_at=sent_at))
    await receiver.take([delivery])
    assert delivery.refused is not None
    assert delivery.refused[0] == code
    assert rows(store) == {}
