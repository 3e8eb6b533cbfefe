"""Traces: one daemon's spans and how they hang together, also over a restart; nothing when off."""

import subprocess
import sys
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from protocol.messages import Complaint
from services.bus.memory import MemoryBus
from services.common.trace_context import context_in, split_context, with_context
from services.observability import tracing
from tests.support.daemons.scripted_daemon import Faults, World, answering, settled_event, until
from tests.support.daemons.service_world import event_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FOREIGN = f"00-{TRACE}-{SPAN}-01"
SECRET = "the weights are 1, 2 and 3"


@pytest.fixture
def exporter():
    found = InMemorySpanExporter()
    tracing.configure_with(SimpleSpanProcessor(found), 1.0, "deltaml-data_owner", "0xab")
    yield found
    tracing.close()


@pytest.fixture
def world():
    made = World()
    made.pool.script = answering(made)
    yield made
    made.store.close()


async def send(world, code, trace=None):
    body = Complaint(code=code, accused=world.owner.address, evidence=())
    message = world.aggregator.outgoing(world.owner, body)
    await MemoryBus(world.broker).publish(replace(message, trace=trace))
    return message


def spans(exporter):
    return {span.name: span for span in exporter.get_finished_spans()}


def is_below(one, other):
    return one.parent is not None and one.parent.span_id == other.context.span_id


async def test_a_delivery_leads_to_a_step_and_the_step_to_what_it_does(world, exporter):
    async with world.running() as runtime:
        await send(world, "one", FOREIGN)
        await until(lambda: world.chain.calls and runtime.is_idle())
    found = spans(exporter)
    deliver, step = found["deliver"], found["step complaint"]
    assert {f"{span.context.trace_id:032x}" for span in found.values()} == {TRACE}
    assert f"{deliver.parent.span_id:016x}" == SPAN
    assert is_below(step, deliver)
    for name in ("store step", "publish complaint", "call settle"):
        assert is_below(found[name], step)
    (answer,) = world.broker.queues["federated_aggregator", world.aggregator.address].ready
    assert answer.trace == f"00-{TRACE}-{found['publish complaint'].context.span_id:016x}-01"
    assert dict(step.attributes) == {
        "deltaml.input": "complaint",
        "deltaml.role": "data_owner",
        "deltaml.party": world.owner.address,
        "deltaml.round": 0,
    }
    assert deliver.attributes["deltaml.sender"] == world.aggregator.address
    assert deliver.resource.attributes["service.name"] == "deltaml-data_owner"


async def test_an_event_and_a_timer_belong_to_the_trace_of_their_training(world, exporter):
    async with world.running() as runtime:
        await send(world, "three", FOREIGN)  # its step sets a timer
        await until(lambda: world.store.next_timer_at() is None and "step timer:late" in spans(exporter))
        await MemoryBus(world.broker).publish_event(event_of(settled_event(1)), "confirmed")
        await until(lambda: "step Settled" in spans(exporter) and runtime.is_idle())
    assert {f"{span.context.trace_id:032x}" for span in exporter.get_finished_spans()} == {TRACE}


@pytest.mark.parametrize("place", ["before write_step", "after write_step", "before publish"])
async def test_a_restart_keeps_the_link(world, exporter, place):
    faults = Faults(place)
    async with world.running(faults):
        await send(world, "one", FOREIGN)
        await until(lambda: faults.dead)
    exporter.clear()
    async with world.running() as runtime:
        await until(lambda: world.chain.calls and runtime.is_idle())
        await MemoryBus(world.broker).publish_event(event_of(settled_event(1)), "confirmed")
        await until(lambda: "step Settled" in spans(exporter))
    found = spans(exporter)
    assert "publish complaint" in found
    assert {f"{span.context.trace_id:032x}" for span in found.values()} == {TRACE}


async def test_what_has_no_context_or_a_bad_one_begins_a_trace_and_is_taken_all_the_same(world, exporter):
    async with world.running() as runtime:
        await send(world, "one", None)
        await until(lambda: len(world.chain.calls) == 1 and runtime.is_idle())
    assert spans(exporter)["deliver"].parent is None
    for bad in (
        "",
        "00-zz",
        FOREIGN.upper(),
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        7,
        None,
    ):
        assert context_in({"traceparent": bad}) is None
    assert context_in({"traceparent": FOREIGN}) == FOREIGN
    assert context_in({}) is None


async def test_the_same_message_under_another_trace_is_no_replay(world, exporter):
    async with world.running() as runtime:
        message = await send(world, "one", FOREIGN)
        await until(lambda: world.chain.calls and runtime.is_idle())
        await MemoryBus(world.broker).publish(replace(message, trace=None))
        await until(lambda: not world.broker.queues["data_owner", world.owner.address].ready)
    tracing.close()
    async with world.running() as runtime:
        await MemoryBus(world.broker).publish(message)
        await until(lambda: not world.broker.queues["data_owner", world.owner.address].ready)
        await until(runtime.is_idle)
    assert world.letters() == []
    assert world.store.instance("1").state == b"one "


async def test_a_failure_is_told_by_its_kind_alone(world, exporter):
    def script(_state, _item, _context):
        raise ValueError(SECRET)

    with pytest.raises(ValueError, match="weights"), tracing.span("step", training=None):
        script(None, None, None)
    world.pool.script = script
    async with world.running() as runtime:
        await send(world, "one")
        await until(lambda: world.letters() and runtime.is_idle())
    step = spans(exporter)["step"]
    assert (step.status.is_ok, step.status.description) == (False, "ValueError")
    assert SECRET not in "".join(span.to_json() for span in exporter.get_finished_spans())


async def test_a_part_of_all_traces_is_kept_whatever_the_sender_asks_for(exporter):
    kept = InMemorySpanExporter()
    tracing.configure_with(SimpleSpanProcessor(kept), 0.5, "deltaml-data_owner", "0xab")
    for number in (1, (1 << 64) - 1):  # the ratio goes by the trace id's last half
        with tracing.span("deliver", parent=f"00-{TRACE[:16]}{number:016x}-{SPAN}-01") as one:
            assert one.context.startswith(f"00-{TRACE[:16]}{number:016x}-")
    assert [span.context.trace_id & (1 << 64) - 1 for span in kept.get_finished_spans()] == [1]


def test_content_is_kept_with_its_context():
    assert split_context(with_context(b"\x81content", FOREIGN)) == (FOREIGN, b"\x81content")
    assert split_context(with_context(b"\x81content", None)) == (None, b"\x81content")


async def test_nothing_is_traced_when_off(world):
    async with world.running() as runtime:
        await send(world, "one", FOREIGN)
        await until(lambda: world.chain.calls and runtime.is_idle())
    (answer,) = world.broker.queues["federated_aggregator", world.aggregator.address].ready
    assert answer.trace is None
    assert world.store.values("trace:") == {}


def test_a_daemon_that_does_not_trace_imports_nothing_of_opentelemetry():
    code = (
        "import sys, services.daemon.participant, services.cli.daemons\n"
        "from services.observability import tracing\n"
        "with tracing.span('step', training=1) as one: assert one.context is None\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=300, check=False).returncode == 0
