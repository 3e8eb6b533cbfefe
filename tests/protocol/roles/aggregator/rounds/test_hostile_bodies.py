"""Every message to the aggregator of a checked round with something wrong in it: never a crash."""

from random import Random

import pytest

from protocol.codec import decoded, pack, validated
from protocol.errors import ProtocolViolation
from protocol.messages.rounds import CHECKED_TYPES
from tests.support.roles.changed_bodies import variants
from tests.support.roles.checked_aggregator import stopped_before
from tests.support.roles.small_markets import resigned

PLACES = [
    ("checked_ready", 0, 0),
    ("proven_update", 1, 0),
    ("moment_answer", 1, 0),
    ("proven_metric", 1, 0),
    ("proven_metric", 1, 2),
    ("ring_committed", 1, 0),
    ("ring_nonce", 1, 0),
    ("ring_shared", 1, 1),
    ("ring_consent", 1, 0),
    ("check_verdict", 1, 0),
    ("metric_consent", 1, 0),
]
"""Type, round, and which of its messages."""
MOST = 40
"""Variants that are tried of each."""


@pytest.mark.parametrize(("kind", "round_number", "which"), PLACES)
def test_a_changed_message_is_refused_or_answered(kind: str, round_number: int, which: int) -> None:
    first = stopped_before(kind, round_number, which)
    random = Random(f"{kind} {which}")
    bodies = list(variants(decoded(first.message.body), random))
    tried = 0
    for changed in random.sample(bodies, min(MOST, len(bodies))):
        try:
            body = pack(validated(CHECKED_TYPES[kind], changed))
        except ProtocolViolation:
            continue
        before, tried = stopped_before(kind, round_number, which), tried + 1
        stood = before.party.decoded
        effects = before.receive(resigned(before.market, before.message, body=body))
        if any(one.effect == "violation" for one in effects):
            assert before.party.decoded == stood
            assert {one.code for one in effects if one.effect == "violation"} != {"internal_error"}
    assert tried
