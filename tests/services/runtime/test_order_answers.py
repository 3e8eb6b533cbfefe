"""Orders are answered, by whom they are for, and nobody else's message is."""

import os

import pytest

from protocol.envelope import SignedMessage
from protocol.messages import OwnerDecision, WithdrawOrder
from protocol.roles.engine.effects import RecordFact, ReportViolation
from services.bus.memory import MemoryBus
from services.records.order_answers import ACCEPTED, OrderAnswer, answer_to
from services.runtime.role_adapter import NO_TRAINING, Answer
from tests.support.daemons.scripted_daemon import OwnerLike, World, step, until
from tests.support.daemons.service_world import Person, sealed

DECISION = OwnerDecision(training=1, accept=True)
WRONG = ReportViolation(code="unknown_data_set", detail="x", accused=None)
SPENT = RecordFact(name="over_budget", data={"data_set": "rows"})


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


class Shell(OwnerLike):
    """Takes a withdrawal and refuses all else that belongs to no training."""

    def key_of_message(self, signed):
        if signed.envelope.type == "withdraw_order":
            return NO_TRAINING
        return super().key_of_message(signed)

    def answer(self, signed):
        assert signed.envelope.type == "withdraw_order"
        return Answer(values={"told": b"1"})


async def ordered(world, body, training):
    """What the daemon answers an order of its own operator."""
    message = world.owner.outgoing(world.owner, body, training=training)
    async with world.running(role=Shell(world.store)):
        await MemoryBus(world.broker).publish(message)
        await until(lambda: answer_to(world.store, message.envelope.message_id) is not None)
    return answer_to(world.store, message.envelope.message_id)


@pytest.mark.parametrize(
    ("effects", "changed", "expected"),
    [
        ((), True, OrderAnswer(ACCEPTED, state="READY")),
        ((RecordFact(name="stop_requested", data={}),), True, OrderAnswer(ACCEPTED, state="READY")),
        ((SPENT,), False, OrderAnswer("over_budget", "", "READY", {"data_set": "rows"})),
        ((WRONG,), False, OrderAnswer("unknown_data_set", "x", "READY")),
    ],
    ids=["done", "done and noted", "not done", "wrong"],
)
async def test_an_order_of_a_training_is_answered_by_what_its_step_did(world, effects, changed, expected):
    def script(state, _item, _context):
        if state is None:
            return step(b"before")
        return step(b"after" if changed else state, *effects)

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("opening")
        await until(lambda: world.store.instance("1") is not None and runtime.is_idle())
    assert await ordered(world, DECISION, 1) == expected


async def test_orders_of_no_training_are_answered(world):
    assert await ordered(world, WithdrawOrder(), 0) == OrderAnswer(ACCEPTED)
    assert world.store.values("told") == {"": b"1"}


async def test_an_order_about_a_training_that_is_over_or_unknown_is_answered(world):
    world.chain.missing.add(9)
    answer = await ordered(world, OwnerDecision(training=9, accept=False), 9)
    assert answer.code == "unknown_training"


async def test_who_is_not_the_operator_gets_no_answer_and_spoils_none(world):
    """Neither a registered stranger, nor one that takes the operator's name without its key."""
    stranger, message_id = Person("federated_aggregator"), os.urandom(16)
    envelope = world.owner.envelope(world.owner, DECISION.type, message_id=message_id)
    forged = SignedMessage.create(envelope, b"\x80", stranger.identity.signing_key)
    own = stranger.outgoing(world.owner, DECISION, message_id=message_id)
    world.chain.roles[stranger.address] = stranger.role
    async with world.running() as runtime:
        for message in (sealed(forged, world.owner), own):
            await MemoryBus(world.broker).publish(message)
        await until(lambda: len(world.letters()) == 2 and runtime.is_idle())
    assert answer_to(world.store, message_id) is None


async def test_an_order_that_is_sent_again_and_again_keeps_its_one_answer(world):
    """Whoever has seen it on its way can: the daemon refuses it each time, and notes no more."""
    world.chain.missing.add(9)
    order = world.owner.outgoing(world.owner, OwnerDecision(training=9, accept=False), training=9)
    async with world.running() as runtime:
        for times in range(1, 4):
            await MemoryBus(world.broker).publish(order)
            await until(lambda times=times: len(world.letters()) == times and runtime.is_idle())
    [(name, data, _at)] = world.store.facts(f"answer:{order.envelope.message_id.hex()}")
    assert (name, data["code"]) == ("order_answered", "unknown_training")
