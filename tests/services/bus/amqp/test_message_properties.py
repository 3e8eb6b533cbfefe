"""Envelopes as AMQP properties: there and back unchanged, and what is odd the envelope's check refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.envelope import Envelope
from protocol.errors import ProtocolViolation
from services.bus.amqp.message_properties import envelope_fields_of, event_message_of, message_of
from services.bus.port import read_envelope
from tests.support.broker.bus_messages import chain_event, outgoing

ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda value: f"0x{value.hex()}")
ENVELOPES = st.builds(
    Envelope,
    message_id=st.binary(min_size=16, max_size=16),
    type=st.from_regex(r"\A[a-z][a-z0-9_]{0,63}\Z"),
    training=st.integers(0, (1 << 63) - 1),
    round=st.integers(0, 10_000),
    attempt=st.integers(0, 1_000),
    sender=ADDRESSES,
    recipient=ADDRESSES,
    sent_at=st.integers(0, (1 << 63) - 1),
)


@given(ENVELOPES)
def test_an_envelope_survives_the_trip(envelope: Envelope) -> None:
    message = message_of(envelope, b"", user=None)
    message.properties.marshal()
    assert read_envelope(envelope_fields_of(message)) == envelope


@pytest.mark.parametrize(
    "changed",
    [
        {"message_id": "AB" * 16},
        {"message_id": "ab" * 15},
        {"message_id": None},
        {"correlation_id": "007"},
        {"correlation_id": "٧"},
        {"correlation_id": "-1"},
        {"correlation_id": "9" * 19},
        {"correlation_id": None},
        {"type": None},
        {"type": "../x"},
        {"headers": {}},
        {"headers": {"round": True}},
        {"headers": {"round": "3"}},
        {"headers": {"sender": b"x"}},
        {"headers": {"version": "1"}},
        {"headers": {"recipient": {"nested": [1, 2]}}},
    ],
)
def test_odd_properties_are_malformed(changed: dict[str, Any]) -> None:
    message = message_of(outgoing("data_owner", "0x" + "a1" * 20, "0x" + "b1" * 20).envelope, b"", user=None)
    if changed.get("headers"):
        changed = {"headers": {**message.headers, **changed["headers"]}}
    for name, value in changed.items():
        setattr(message, name, value)
    with pytest.raises(ProtocolViolation, match="malformed"):
        read_envelope(envelope_fields_of(message))


def test_events_have_ids_of_their_own() -> None:
    event = chain_event(3)
    there = event_message_of(event, "seen")
    removed = event_message_of(event.model_copy(update={"removed": True}), "seen")
    assert (
        len({there.message_id, removed.message_id, event_message_of(chain_event(4), "seen").message_id}) == 3
    )
