"""Keys that somebody registered to do harm, and inputs that nobody thought of: a daemon goes on."""

import hashlib

import pytest

from protocol.marketplace import Withdraw
from protocol.messages import Complaint, OwnerAnnouncement
from protocol.roles.engine.effects import KeepResult, RecordFact, SendMessage, SubmitCall
from services.bus.memory import MemoryBus
from services.participants.federated_aggregator import AggregatorRole
from services.runtime.role_adapter import NO_TRAINING
from tests.protocol.crypto.test_exchange import LOW_ORDER, encoded
from tests.support.daemons.scripted_daemon import World, heard_so_far, said, settled_event, step, until
from tests.support.daemons.service_world import Person, event_of


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


def noted(world, key="1"):
    """(fact, what it says) of an instance, the digests and times left out."""
    return [(name, data) for name, data, _at in world.store.facts(key)]


@pytest.mark.parametrize("point", [*LOW_ORDER[1:], LOW_ORDER[1] | 1 << 255], ids=hex)
async def test_who_registers_a_key_of_low_order_gets_no_message_and_ends_nobody(world, point):
    """One opening with it must not end an aggregator."""
    stranger = Person("federated_aggregator")
    world.chain.roles[stranger.address] = "federated_aggregator"
    world.chain.keys[0, stranger.address] = encoded(point)

    def script(state, item, _context):
        body = Complaint(code="hello", accused=world.owner.address, evidence=())
        answers = [
            SendMessage(message_id=bytes([number]) * 16, recipient=recipient, body=body)
            for number, recipient in enumerate((stranger.address, world.aggregator.address))
        ]
        return step(heard_so_far(state, item), *answers)

    world.pool.script = script
    for count, word in enumerate(("one", "two"), start=1):
        async with world.running() as runtime:  # and again after a restart
            await world.send(word)
            await until(lambda: len(world.store.facts("1")) == count and runtime.is_idle())  # noqa: B023
    assert world.store.instance("1").state == b"one two "
    unusable = {"recipient": stranger.address, "type": "complaint", "code": "unusable_exchange_key"}
    assert noted(world) == [("undeliverable", unusable)] * 2
    assert await world.heard() == ["hello"]


async def test_an_answer_outside_all_trainings_to_such_a_key_ends_nobody(world):
    owner = Person("data_owner")
    world.chain.roles[owner.address] = "data_owner"
    world.chain.keys[0, owner.address] = encoded(1)
    world.owner, world.aggregator = world.aggregator, world.owner
    admitted = frozenset({owner.address})
    role = AggregatorRole(world.store, world.owner.address, admitted)
    announcement = owner.outgoing(world.owner, OwnerAnnouncement(model_kinds=()), training=0)
    async with world.running(role=role) as runtime:
        await MemoryBus(world.broker).publish(announcement)
        await until(lambda: world.store.facts(NO_TRAINING) and runtime.is_idle())
    assert [name for name, _data in noted(world, NO_TRAINING)] == ["owner_announced", "undeliverable"]


UNSTORABLE = {
    "fact": RecordFact.model_construct(name="told", data={"of": b"no JSON"}),
    "result": KeepResult.model_construct(name="model", content={"no": "bytes"}),
    "call": SubmitCall.model_construct(call="no call"),
    "message": SendMessage.model_construct(
        message_id=b"m" * 16, recipient="0x" + "a0" * 20, body=None, round=0, attempt=0
    ),
}


@pytest.mark.parametrize("effect", UNSTORABLE.values(), ids=UNSTORABLE)
async def test_effects_that_cannot_be_stored_cost_their_input_alone(world, effect):
    def script(state, item, _context):
        harm = [effect] if said(item) == "bad" else []
        return step(heard_so_far(state, item), *harm, SubmitCall(call=Withdraw()))

    world.pool.script = script
    async with world.running() as runtime:
        for word in ("one", "bad", "two"):
            await world.send(word)
        await world.send("other", training=2)
        await until(lambda: world.letters() and world.store.instance("2") and runtime.is_idle())
        await until(lambda: world.store.instance("1").state == b"one two ")
    assert world.letters() == [("internal_error", "")]
    assert len(world.chain.calls) == 3  # the bad one's call is not made
    ((name, data),) = noted(world)
    assert (name, data["code"]) == ("input_refused", "internal_error")
    assert runtime.resources.meter.set_aside["input"] == 1


async def test_a_stored_input_that_cannot_be_read_is_set_aside_with_its_digest(world):
    world.store.add_inputs([(b"x" * 32, "1", b"\xc1 not msgpack")])
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.store.instance("1") and runtime.is_idle())
    digest = hashlib.sha256(b"\xc1 not msgpack").hexdigest()
    assert noted(world) == [("input_refused", {"input": "unreadable", "code": "malformed", "digest": digest})]
    assert world.store.waiting_inputs() == 0


@pytest.mark.parametrize("kind", ["message", "letter", "call"])
async def test_an_effect_that_cannot_be_read_is_set_aside_and_the_next_goes_out(world, kind):
    world.store.add_effects("1", [(kind, b"\xc1 not msgpack")], 0.0)
    async with world.running() as runtime:
        await runtime.send(world.aggregator.address, OwnerAnnouncement(model_kinds=()))
        await until(lambda: world.store.waiting_effects() == 0)
    digest = hashlib.sha256(b"\xc1 not msgpack").hexdigest()
    assert noted(world) == [("set_aside", {"of": kind, "code": "malformed", "digest": digest})]
    assert len(world.broker.queues["federated_aggregator", world.aggregator.address].ready) == 1


async def test_a_message_that_has_the_inbox_fail_is_a_dead_letter_and_the_others_are_stored(world):
    add, bad = world.store.add_messages, []

    def failing(messages):
        if any(b"bad" in message.content for message in messages):
            bad.append(len(messages))
            raise OverflowError("too large to be stored")
        return add(messages)

    world.store.add_messages = failing
    for word in ("one", "bad", "two"):
        await world.send(word)
    async with world.running() as runtime:
        await until(lambda: world.store.instance("1") and runtime.is_idle() and world.letters())
        await until(lambda: world.store.instance("1").state == b"one two ")
    assert [code for code, _detail in world.letters()] == ["internal_error"]
    assert runtime.resources.meter.set_aside["message"] == 1


async def test_an_event_that_has_the_role_fail_is_noted_and_the_next_is_taken(world):
    bus = MemoryBus(world.broker)
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.store.instance("1") and runtime.is_idle())
        place, failed = runtime.role.key_of_event, []

        def failing(event):
            if event.training == 9:
                failed.append(event)
                raise KeyError(event.training)
            return place(event)

        runtime.role.key_of_event = failing
        await bus.publish_event(event_of(settled_event(9), 2), "confirmed")
        await bus.publish_event(event_of(settled_event(1), 3), "confirmed")
        await until(lambda: world.store.instance("1").state == b"one event ")
    assert len(failed) == 1
    assert [(name, data["of"]) for name, data in noted(world, NO_TRAINING)] == [("set_aside", "Settled")]


async def test_what_the_machine_cannot_do_now_is_tried_again(world):
    full = iter([OSError(24, "Too many open files")] * 2)

    def script(state, item, _context):
        for error in full:
            raise error
        return step(heard_so_far(state, item))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.store.instance("1") and runtime.is_idle())
    assert world.letters() == []
