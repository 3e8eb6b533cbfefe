"""Nobody's fault stops a daemon: not the chain's, not a peer's, not our own."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from protocol.errors import ProtocolViolation
from protocol.marketplace import Opened, Withdraw, Withdrawn
from protocol.messages import Complaint
from protocol.roles.engine.effects import ReportViolation, SendMessage, SetTimer, SubmitCall
from protocol.roles.engine.inputs import (
    CallRefused,
    EventConfirmed,
    MessageReceived,
    PolicyChanged,
    TimerFired,
)
from services.bus.memory import MemoryBus
from services.common.errors import StoreUnavailable
from services.participants.federated_aggregator import AggregatorRole
from services.runtime.role_adapter import NO_TRAINING, Answer
from services.store import StepWrites
from services.store.retention import archive_ended
from services.store.tables import instances
from tests.support.daemons.scripted_daemon import (
    OwnerLike,
    World,
    answering,
    heard_so_far,
    said,
    settled_event,
    step,
    until,
)
from tests.support.daemons.service_world import Person, event_of
from tests.support.deployment.documents import KEY_ID, any_request

SECRET = "0x5ec7e7"


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


async def test_a_refused_call_comes_back_as_an_input(world):
    inputs = []

    def script(state, item, _context):
        inputs.append(item)
        effects = [SubmitCall(call=Withdraw())] if isinstance(item, MessageReceived) else []
        return step(heard_so_far(state, item), *effects)

    world.pool.script = script
    world.chain.refusals["withdraw"] = "no_credit"
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: len(inputs) == 2 and runtime.is_idle())
    assert inputs[1] == CallRefused(call=Withdraw(), code="no_credit")
    assert world.store.waiting_effects() == 0
    assert world.chain.calls == []


async def test_an_event_reaches_its_instance_once_and_others_nobody(world):
    bus = MemoryBus(world.broker)
    await bus.publish_event(event_of(Withdrawn(account=world.owner.address, amount=1)), "confirmed")
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.store.instance("1") and runtime.is_idle())
        settled = event_of(settled_event(1), 2)
        for _ in range(2):
            await bus.publish_event(settled, "confirmed")
        await bus.publish_event(event_of(settled_event(9), 3), "confirmed")
        await until(lambda: not world.broker.streams["confirmed", world.owner.address].ready)
        await until(lambda: world.store.instance("1").state == b"one event ")
        await until(runtime.is_idle)
    assert [row.key for row in world.store.instances()] == ["1"]
    assert world.store.instance("1").state == b"one event "


async def test_events_right_after_the_opening_are_not_lost(world):
    """Anyone registered may join in the next block, long before the opening's step is done."""
    request = any_request(aggregator=world.aggregator.address)
    opened = Opened(
        training=4,
        buyer="0x" + "b0" * 20,
        aggregator=world.aggregator.address,
        deposit=10**18,
        terms=request.terms(KEY_ID),
    )
    bus = MemoryBus(world.broker)
    for number, event in enumerate((opened, settled_event(4)), start=1):
        await bus.publish_event(event_of(event, number), "confirmed")
    world.owner, world.aggregator = world.aggregator, world.owner
    role = AggregatorRole(world.store, world.owner.address, frozenset())
    async with world.running(role=role) as runtime:
        await until(lambda: world.store.instance("4") and runtime.is_idle())
        await until(lambda: world.store.instance("4").state == b"event event ")


async def test_while_the_chain_is_down_nothing_is_refused_and_then_all_goes_on(world):
    world.chain.down = True
    world.pool.script = answering(world)
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.chain.asked >= 3)
        assert world.letters() == []
        assert world.store.instance("1") is None
        world.chain.down = False
        await until(lambda: world.chain.calls and runtime.is_idle())
    assert world.store.instance("1").state == b"one "
    assert await world.heard() == ["re_one"]


async def test_a_step_that_needs_the_chain_waits_for_it(world):
    class Asking(AggregatorRole):
        name = "data_owner"

        async def context(self, key, item):
            await world.chain.owners(1)
            return await super().context(key, item)

    world.chain.openings[1] = (world.aggregator.address, world.owner.address)
    async with world.running(role=Asking(world.store, world.owner.address, frozenset())) as runtime:
        await world.send("one")  # from now on its sender's role is known
        await until(lambda: world.store.instance("1") and runtime.is_idle())
        world.chain.down = True
        asked = world.chain.asked
        await world.send("two")
        await until(lambda: world.chain.asked >= asked + 3)
        assert world.store.waiting_inputs() == 1
        world.chain.down = False
        await until(lambda: world.store.instance("1").state == b"one two ")


async def test_what_a_lost_commit_led_to_is_taken_up(world):
    """The store takes the answer to an order in, and nobody hears that it did."""

    class Ordered(OwnerLike):
        def key_of_message(self, signed):
            return NO_TRAINING

        def answer(self, signed):
            return Answer(inputs=(("7", PolicyChanged()),))

    finish, lost = world.store.finish_input, iter([StoreUnavailable("the connection broke")])

    def finish_input(*arguments, **keywords):
        finish(*arguments, **keywords)
        for error in lost:
            raise error

    world.store.finish_input = finish_input
    async with world.running(role=Ordered(world.store)) as runtime:
        await world.send("one")
        await until(lambda: world.store.instance("7") and runtime.is_idle())
    assert world.store.instance("7").state == b"policy_changed "


async def test_a_peers_fault_at_the_first_word_is_a_dead_letter(world):
    def script(state, item, _context):
        if said(item) == "bad":
            raise ProtocolViolation("unknown_training", "no such training")
        return step(heard_so_far(state, item))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("bad")
        await world.send("good")
        await until(lambda: world.letters() and runtime.is_idle() and world.store.instance("1"))
    assert world.letters() == [("unknown_training", "no such training")]
    assert world.store.instance("1").state == b"good "


async def test_a_reported_violation_is_a_dead_letter_and_a_fact(world):
    def script(state, item, _context):
        if said(item) == "bad":
            report = ReportViolation(code="not_mine", detail="seat 3", accused=world.aggregator.address)
            return step(state, report)
        return step(heard_so_far(state, item))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("good")
        await world.send("bad")
        await until(lambda: world.letters() and runtime.is_idle())
    assert world.letters() == [("not_mine", "seat 3")]
    assert world.store.instance("1").state == b"good "
    facts = [(name, data["code"]) for name, data, _at in world.store.facts("1")]
    assert facts == [("violation", "not_mine")]


async def test_a_forged_message_never_becomes_an_input(world):
    stranger = Person("federated_aggregator")
    world.chain.roles[stranger.address] = "federated_aggregator"
    body = Complaint(code="forged", accused=world.owner.address, evidence=())
    message = stranger.outgoing(world.owner, body)
    forged = message.envelope.model_copy(update={"sender": world.aggregator.address})
    await MemoryBus(world.broker).publish(replace(message, envelope=forged))
    async with world.running() as runtime:
        await world.send("honest")
        await until(lambda: world.store.instance("1") and runtime.is_idle())
    assert [code for code, _detail in world.letters()] == ["bad_signature"]
    assert world.store.instance("1").state == b"honest "


async def test_a_bug_of_ours_stops_one_input_and_tells_no_secret(world):
    def script(state, item, context):
        if said(item) == "bug":
            private_weights = [SECRET]
            raise KeyError(private_weights[0], context.signing_key)
        return step(heard_so_far(state, item))

    world.pool.script = script
    with capture_logs() as logs:
        async with world.running() as runtime:
            for code in ("one", "bug", "two"):
                await world.send(code)
            await until(lambda: world.letters() and runtime.is_idle())
            await until(lambda: world.store.instance("1").state == b"one two ")
    assert world.letters() == [("internal_error", "")]
    ((name, refused, _at),) = world.store.facts("1")
    assert (name, refused["input"], refused["code"]) == ("input_refused", "complaint", "internal_error")
    assert len(refused["digest"]) == 64
    (told,) = [line for line in logs if line["event"] == "step_failed"]
    assert told["error"] == "KeyError"
    assert told["input"] == "complaint"
    assert told["place"].rpartition(":")[0] == __file__
    assert SECRET not in repr(logs)
    assert world.owner.identity.signing_key.hex() not in repr(logs)
    assert repr(world.owner.identity.signing_key) not in repr(logs)


async def test_a_bug_at_a_timer_or_an_event_leaves_no_letter(world):
    def script(state, item, _context):
        if isinstance(item, TimerFired | EventConfirmed):
            raise ZeroDivisionError
        return step(heard_so_far(state, item), SetTimer(name="soon", seconds=0.0))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.store.instance("1") is not None)
        event = event_of(settled_event(1))
        await MemoryBus(world.broker).publish_event(event, "confirmed")
        await until(lambda: not world.broker.streams["confirmed", world.owner.address].ready)
        await until(lambda: world.store.next_timer_at() is None and runtime.is_idle())
    assert world.store.instance("1").state == b"one "
    assert world.letters() == []


async def test_a_recipient_that_the_chain_does_not_know_costs_its_message_alone(world):
    def script(state, item, _context):
        body = Complaint(code="lost", accused=world.owner.address, evidence=())
        lost = SendMessage(message_id=b"m" * 16, recipient="0x" + "66" * 20, body=body)
        return step(heard_so_far(state, item), lost, SubmitCall(call=Withdraw()))

    world.pool.script = script
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.chain.calls and runtime.is_idle())
    ((name, data, _at),) = world.store.facts("1")
    assert (name, data["code"], data["recipient"]) == ("undeliverable", "not_registered", "0x" + "66" * 20)


async def test_a_training_that_is_closed_takes_no_input_any_more(world):
    async with world.running() as runtime:
        await world.send("one")
        await until(lambda: world.store.instance("1") and runtime.is_idle())
    with world.store._database.writing() as connection:
        connection.execute(instances.update().values(finished=True, updated_at=1.0))
    assert world.store.archive(before=2.0) == 1
    async with world.running() as runtime:
        await world.send("two")
        await until(lambda: world.letters() and runtime.is_idle())
    assert world.letters() == [("archived", "")]
    assert world.store.instance("1").state == b"one "


async def test_what_ended_long_ago_is_archived_while_the_daemon_runs(world):
    for number in range(45):
        world.store.add_inputs([(bytes([number]) * 32, str(number), b"-")])
        writes = StepWrites(number, b"s", "FINISHED", finished=number < 43, references=frozenset())
        world.store.write_step(world.store.next_input(str(number)), writes, now=1000.0 if number else 5000.0)
    task = asyncio.create_task(archive_ended(world.store, 100.0, look_seconds=600, clock=lambda: 2000.0))
    await until(lambda: sum(row.closed == "archived" for row in world.store.instances()) == 42)
    await asyncio.sleep(0.05)
    left = {row.key for row in world.store.instances() if row.closed is None}
    assert left == {"0", "43", "44"}  # too young; not ended
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
