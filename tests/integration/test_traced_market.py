"""One trace shows a whole training, from the order to the model, through every role's daemon."""

from collections import Counter
from decimal import Decimal

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.observability import tracing
from services.sandbox.demo import DemoOptions
from tests.support.daemons.watched_demo import watched_demo


@pytest.fixture(scope="module")
def traced():
    exporter = InMemorySpanExporter()
    tracing.configure_with(SimpleSpanProcessor(exporter), 1.0, "deltaml", "all")
    options = DemoOptions(owners=4, key_bits=1024, rounds=1, local_steps=2, tolerance=Decimal(0), workers=0)
    demo = watched_demo(options)
    tracing.close()
    return demo, exporter.get_finished_spans()


def test_one_trace_leads_from_the_order_to_the_model_through_every_role(traced):
    demo, spans = traced
    (order,) = [span for span in spans if span.name == "step training_order"]
    trace = [span for span in spans if span.context.trace_id == order.context.trace_id]
    steps = Counter(span.name.removeprefix("step ") for span in trace if span.name.startswith("step "))
    for message in ("training_request", "invitation", "encrypted_model", "proven_update", "opening"):
        assert steps[message] >= 1, message
    assert steps["trained_model"] == 1
    assert {span.attributes.get("deltaml.role") for span in trace} >= {
        "model_buyer",
        "federated_aggregator",
        "data_owner",
    }
    calls = {span.name for span in trace if span.name.startswith("call ")}
    assert {"call open", "call join", "call record_round", "call settle"} <= calls
    ids = {span.context.span_id for span in trace}
    assert [span.name for span in trace if span.parent is not None and span.parent.span_id not in ids] == []
    messages = [one for one in demo.wire if one.envelope.training]
    assert {one.trace.split("-")[1] for one in messages} == {f"{order.context.trace_id:032x}"}


def test_spans_hold_names_numbers_and_addresses_and_nothing_else(traced):
    _demo, spans = traced
    for span in spans:
        for name, value in span.attributes.items():
            assert name.startswith("deltaml.")
            assert isinstance(value, int) or len(value) <= 42
        assert span.events == ()
