"""The outbox: done until it has happened, in order, with pauses, and never given up."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from protocol.accusations import AccuseOfFalseOpening, SignedOpening
from protocol.codec import unpack
from protocol.marketplace import Claim, Settle, Withdraw
from protocol.messages import Complaint
from services.bus.memory import MemoryBus
from services.bus.port import BusUnavailable, Unroutable
from services.chain.errors import CallReverted, ChainUnavailable, InsufficientFunds
from services.runtime.effects import PendingMessage, packed_call, packed_letter, packed_message
from services.runtime.input_codec import unqueued
from services.runtime.outbox_relay import OutboxRelay
from services.runtime.resources import Pace
from services.store import Store
from tests.support.daemons.scripted_daemon import resources_of, until
from tests.support.daemons.service_world import FakeChain, Person, broker_of


class World:
    """An owner's outbox, and an aggregator's queue that it fills."""

    def __init__(self):
        self.owner, self.aggregator = Person("data_owner"), Person("federated_aggregator")
        self.chain = FakeChain(self.owner, self.aggregator)
        self.broker = broker_of(self.owner, self.aggregator)
        self.bus = MemoryBus(self.broker)
        self.store = Store()
        self.inputs = []
        self.pace = Pace(first_pause=0.01)

    def message(self, code, recipient=None):
        to = recipient or self.aggregator
        body = Complaint(code=code, accused=self.owner.address, evidence=())
        outgoing = self.owner.outgoing(to, body)
        return packed_message(outgoing)

    def add(self, *effects):
        self.store.add_effects("1", effects, 0.0)

    def arrived(self):
        """The sealed bodies on the aggregator's queue."""
        return [one.body for one in self.broker.queues["federated_aggregator", self.aggregator.address].ready]

    @asynccontextmanager
    async def running(self):
        resources = resources_of(self.owner, self.chain, self.store, self.bus, pace=self.pace)
        outbox = OutboxRelay(resources, self.inputs.append)
        task = asyncio.create_task(outbox.run())
        try:
            yield outbox
            assert not task.done()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


async def done(world):
    await until(lambda: world.store.waiting_effects() == 0)


async def test_messages_go_out_in_order_each_as_it_was_signed(world):
    effects = [world.message(f"n{number}") for number in range(150)]  # more than one batch
    world.add(*effects)
    async with world.running():
        await done(world)
    sealed = [unpack(PendingMessage, content).sealed for _, content in effects]
    assert world.arrived() == sealed


async def test_new_effects_are_seen_when_it_is_woken(world):
    async with world.running() as outbox:
        await asyncio.sleep(0)
        world.add(world.message("later"))
        outbox.wake()
        await done(world)
    assert len(world.arrived()) == 1


async def test_a_message_for_a_queue_that_is_missing_waits_until_it_is_there(world):
    late = Person("data_owner")
    world.add(world.message("waits", late), world.message("goes"))
    async with world.running():
        await until(lambda: len(world.arrived()) == 1)
        await until(lambda: world.store.due_effects(1e12)[0].attempts >= 2)
        world.broker.declare("data_owner", late.address)
        await done(world)
    assert len(world.broker.queues["data_owner", late.address].ready) == 1
    ((name, data, _at),) = world.store.facts("1")  # of the one that waited alone
    assert (name, data["of"]) == ("late", "message")
    assert data["attempts"] >= 3
    assert data["seconds"] >= 0


async def test_the_pause_doubles_up_to_its_bound(world):
    world.pace = Pace(first_pause=0.01, longest_pause=0.05)
    refusals = iter(range(5))

    async def publish(_message):
        if next(refusals, None) is not None:
            raise BusUnavailable("no broker")

    world.bus.publish = publish
    world.add(world.message("patient"))
    with capture_logs() as logs:
        async with world.running():
            await done(world)
    delays = [line["pause"] for line in logs if line["event"] == "effect_waits"]
    assert delays == [0.01, 0.02, 0.04, 0.05, 0.05]


async def test_what_waits_for_the_broker_goes_on_soon_after_it_is_back(world):
    world.pace = Pace(first_pause=0.01, away_pause=0.03)
    refusals = iter([BusUnavailable("no broker")] * 4 + [Unroutable("no queue")])

    async def publish(_message):
        for refusal in refusals:
            raise refusal

    world.bus.publish = publish
    world.add(world.message("patient"))
    with capture_logs() as logs:
        async with world.running():
            await done(world)
    delays = [line["pause"] for line in logs if line["event"] == "effect_waits"]
    assert delays == [0.01, 0.02, 0.03, 0.03, 0.16]


async def test_calls_run_side_by_side_and_messages_do_not_wait_for_them(world):
    mined = asyncio.Event()
    under_way = []

    async def on_submit(call):
        under_way.append(call)
        await mined.wait()

    world.chain.on_submit = on_submit
    world.add(packed_call(Settle(training=1)), packed_call(Settle(training=2)), world.message("meanwhile"))
    async with world.running() as outbox:
        await until(lambda: len(under_way) == 2 and len(world.arrived()) == 1)
        outbox.wake()  # what is in hand is not begun again
        await asyncio.sleep(0)
        assert world.store.waiting_effects() == 2
        mined.set()
        await done(world)
    assert sorted(call.training for call in world.chain.calls) == [1, 2]


async def test_more_calls_in_hand_than_one_reading_holds_do_not_hide_what_comes_after_them(world):
    mined = asyncio.Event()

    async def on_submit(_call):
        await mined.wait()

    world.chain.on_submit = on_submit
    world.add(*(packed_call(Settle(training=number)) for number in range(1, 151)), world.message("behind"))
    async with world.running():
        await until(lambda: len(world.arrived()) == 1)
        mined.set()
        await done(world)
    assert len(world.chain.calls) == 150


async def test_a_call_is_tried_again_while_the_chain_is_down(world):
    world.chain.down = True
    world.add(packed_call(Withdraw()))
    async with world.running():
        await until(lambda: world.chain.asked >= 3)
        world.chain.down = False
        await done(world)
    assert world.chain.calls == [Withdraw()]
    assert world.inputs == []


async def test_a_refused_call_becomes_an_input_of_its_instance(world):
    world.chain.refusals["settle"] = "wrong_status"
    world.add(packed_call(Settle(training=7)))
    async with world.running():
        await done(world)
    refused = unqueued(world.store.next_input("1").content)
    assert (refused.call, refused.code) == (Settle(training=7), "wrong_status")
    assert world.inputs == ["1"]


async def test_two_refusals_of_the_same_call_are_two_inputs(world):
    world.chain.refusals["withdraw"] = "no_credit"
    world.add(packed_call(Withdraw()), packed_call(Withdraw()))
    async with world.running():
        await done(world)
    assert world.store.waiting_inputs() == 2


async def test_a_call_is_not_refused_while_one_before_it_waits(world):
    """After an outage of the node the second of two calls may reach it first."""
    earlier = iter([ChainUnavailable("no answer")] * 2)
    made = []

    async def submit(call):
        if call.training == 1 and (error := next(earlier, None)) is not None:
            raise error
        if call.training == 2 and 1 not in made:
            raise CallReverted("unexpected_round")
        made.append(call.training)

    world.chain.submit = submit
    world.add(packed_call(Settle(training=1)), packed_call(Settle(training=2)))
    async with world.running():
        await done(world)
    assert made == [1, 2]
    assert world.store.waiting_inputs() == 0


async def test_a_withdrawal_waits_for_the_calls_before_it(world):
    """What a claim credits is there once it is made; beside it a withdrawal would find nothing."""
    made, failures = [], iter([ChainUnavailable("no answer")] * 2)

    async def submit(call):
        if call == Claim(training=1) and (error := next(failures, None)) is not None:
            raise error
        made.append(call)

    world.chain.submit = submit
    token = "0x" + "70" * 20
    calls = [Claim(training=1), Withdraw(), Withdraw(token=token), Claim(training=2)]
    world.add(*map(packed_call, calls))
    async with world.running():
        await done(world)
    assert sorted(made[:2], key=repr) == [Claim(training=1), Claim(training=2)]
    assert made[2:] == [Withdraw(), Withdraw(token=token)]
    assert [name for name, _data, _at in world.store.facts("1")] == ["late"]  # the claim alone


def an_accusation(world):
    opening = SignedOpening.of(1, 1, n=15, ciphertext=4, plaintext=1, root=2)
    return AccuseOfFalseOpening(opening=opening, signature=bytes(65), account=world.owner.address)


async def test_no_withdrawal_waits_for_an_accusation_that_cannot_be_paid(world):
    made = []

    async def submit(call):
        if isinstance(call, AccuseOfFalseOpening):
            raise InsufficientFunds("send it ether")
        made.append(call)

    world.chain.submit = submit
    calls = [an_accusation(world), Claim(training=1), Withdraw()]
    world.add(*map(packed_call, calls))
    async with world.running():
        await until(lambda: len(made) == 2)
    assert made == calls[1:]


async def test_a_refusal_is_told_though_an_accusation_waits(world):
    """No call builds on an accusation, which may wait for its turn or for ether."""

    async def submit(call):
        if isinstance(call, AccuseOfFalseOpening):
            raise InsufficientFunds("send it ether")
        raise CallReverted("too_late", ())

    world.chain.submit = submit
    world.add(*map(packed_call, [an_accusation(world), Settle(training=1)]))
    async with world.running():
        await until(lambda: world.inputs)
    assert world.inputs == ["1"]


async def test_a_withdrawal_that_waited_is_made_by_the_next_daemon(world):
    async def forever(_call):
        await asyncio.Event().wait()

    world.chain.on_submit = forever
    world.add(packed_call(Claim(training=1)), packed_call(Withdraw()))
    async with world.running():
        await until(lambda: world.chain.calls)
    assert world.chain.calls == [Claim(training=1)]
    world.chain.on_submit = None
    async with world.running():
        await done(world)
    assert world.chain.calls == [Claim(training=1), Claim(training=1), Withdraw()]


async def test_a_bug_in_a_call_pauses_it_and_tells_no_secret(world):
    tries = []

    async def on_submit(_call):
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("secret of the node")

    world.chain.on_submit = on_submit
    world.add(packed_call(Withdraw()))
    with capture_logs() as logs:
        async with world.running():
            await done(world)
    delayed = [line for line in logs if line["event"] == "effect_waits"]
    assert [line["reason"] for line in delayed] == ["ValueError", "ValueError"]
    assert "secret of the node" not in repr(logs)


async def test_a_letter_names_the_message_and_the_reason(world):
    envelope = world.aggregator.envelope(world.owner, "complaint")
    world.add(packed_letter(envelope, "not_mine", "training 3"))
    async with world.running():
        await done(world)
    (letter,) = world.broker.dead_letters
    assert (letter.envelope_fields["message_id"], letter.code) == (envelope.message_id, "not_mine")
    assert letter.body == b""


async def test_what_was_in_hand_when_it_was_stopped_is_done_by_the_next(world):
    async def forever(_call):
        await asyncio.Event().wait()

    world.chain.on_submit = forever
    world.add(packed_call(Withdraw()))
    async with world.running():
        await until(lambda: world.chain.calls)
    assert world.store.waiting_effects() == 1
    world.chain.on_submit = None
    async with world.running():
        await done(world)
    assert world.chain.calls == [Withdraw(), Withdraw()]  # the client recognises the second as done


# ---- recipients that nobody provisions ----


@pytest.fixture
def short_bound(world):
    world.pace = Pace(first_pause=0.01, unroutable=0.05)


async def test_what_nobody_takes_for_long_is_a_letter_and_a_fact_and_holds_up_nothing(world, short_bound):
    late = Person("data_owner")
    effect = world.message("lost", late)
    world.add(effect, world.message("goes"))
    async with world.running():
        await done(world)
    (letter,) = world.broker.dead_letters
    pending = unpack(PendingMessage, effect[1])
    assert (letter.code, letter.body) == ("undeliverable", pending.sealed)
    assert letter.envelope_fields == pending.envelope.model_dump()
    data = {"recipient": late.address, "type": "complaint", "code": "undeliverable"}
    assert [(name, told) for name, told, _at in world.store.facts("1")] == [("undeliverable", data)]
    assert len(world.arrived()) == 1


async def test_a_broker_that_is_away_gives_nothing_up(world):
    world.pace = Pace(first_pause=0.01, longest_pause=0.01, unroutable=0.05)
    away = iter(range(20))
    publish = world.bus.publish

    async def refuse(message):
        if next(away, None) is not None:
            raise BusUnavailable("no broker")
        await publish(message)

    world.bus.publish = refuse
    world.add(world.message("patient"))
    async with world.running():
        await done(world)
    assert len(world.arrived()) == 1
    assert world.broker.dead_letters == []


async def test_the_bound_counts_from_the_first_time_that_nobody_took_it(world):
    late = Person("data_owner")
    world.add(world.message("old", late))
    with world.store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE outbox SET added_at = 0")  # it waited for the broker till now
    async with world.running():
        await until(lambda: world.store.due_effects(1e12)[0].attempts >= 2)
        first = world.store.due_effects(1e12)[0].unroutable_since
        await until(lambda: world.store.due_effects(1e12)[0].attempts >= 3)
        assert world.store.due_effects(1e12)[0].unroutable_since == first
    assert world.broker.dead_letters == []


async def test_a_message_is_given_up_whole_or_not_at_all(world):
    world.add(world.message("lost"))
    (effect,) = world.store.due_effects(0.0)
    no_json = ("undeliverable", {"data": b"raw"})
    with pytest.raises(TypeError):
        world.store.give_up_effect(effect, 0.0, ("letter", b"l"), no_json)
    assert world.store.due_effects(0.0) == [effect]
    assert world.store.facts("1") == []
