"""Every message of a checked round to the buyer with something wrong in it: refused or answered, no crash."""

from functools import lru_cache
from random import Random
from typing import Any

import pytest

from protocol.codec import decoded, pack, validated
from protocol.crypto.cipher import read_ciphertexts, write_ciphertexts
from protocol.errors import ProtocolViolation
from protocol.learning.projection.answer import read_projection_answer
from protocol.learning.projection.countersigning import consent
from protocol.messages.rounds import (
    CHECKED_TYPES,
    ProjectionRequest,
    ZeroTestEvidenceRequest,
    ZeroTestRequest,
)
from protocol.roles.buyer.role import MACHINE
from protocol.roles.buyer.rounds.checks import on_projection_request
from protocol.roles.engine.inputs import MessageReceived
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.roles.engine.state import replace
from protocol.signatures import sign_digest
from tests.support.projections import ask, zero_test
from tests.support.roles.changed_bodies import variants
from tests.support.roles.checked_attempt import answers, blobs_of, measuring
from tests.support.roles.checked_world import shown_start
from tests.support.roles.ring_players import STREAM

WORLD, ATTEMPT, STATE = measuring()
ASKER, OTHER = WORLD.checkers

ADDRESS_ALONE = "zero_test_evidence_request"
"""Has no other field, and a changed address is none."""

Case = tuple[Any, dict[bytes, bytes], str, Any]
"""The buyer before a message, its blobs, who sends it, and the honest body."""


@lru_cache
def cases() -> dict[str, Case]:
    """An honest message of each kind."""
    bare, started = shown_start(WORLD)
    question = ask(ATTEMPT.projection, STREAM.bytes(32))
    asked = ProjectionRequest(masked=tuple(write_ciphertexts(WORLD.key, question.request)))
    step = on_projection_request(STATE, WORLD.sent(ASKER, asked), WORLD.context())
    numbers = answers(step)[0].numbers
    answer = read_projection_answer(
        read_ciphertexts(WORLD.key, numbers, len(numbers)), ATTEMPT.projection.sets
    )
    test = zero_test(ATTEMPT.projection, question, answer, STREAM.bytes(32)).ciphertext
    digest = consent(ATTEMPT.projection, question.request, answer, test)
    (zero,) = write_ciphertexts(WORLD.key, [test])
    opening = ZeroTestRequest(zero=zero, signature=sign_digest(WORLD.keys[OTHER], digest))
    (question,) = step.state.questions
    denied = replace(step.state, questions=(replace(question, tested=True, denied=zero),))
    aggregator = WORLD.aggregator
    unannounced = replace(STATE, attempts=(), standing=0)
    return {
        "checked_started": (bare, {}, aggregator, started),
        "moment_request": (WORLD.running(), {}, aggregator, WORLD.moment_request),
        "attempt_announced": (unannounced, {}, aggregator, WORLD.announced),
        "projection_request": (STATE, {}, ASKER, asked),
        "zero_test_request": (step.state, blobs_of(step), ASKER, opening),
        "zero_test_evidence_request": (
            denied,
            blobs_of(step),
            aggregator,
            ZeroTestEvidenceRequest(checker=ASKER),
        ),
        "ring_opening_request": (STATE, {}, aggregator, ATTEMPT.ring_request()),
        "metric_opening_request": (STATE, {}, aggregator, ATTEMPT.opening_request()),
    }


@pytest.mark.parametrize("kind", cases())
def test_the_honest_message_is_taken(kind: str) -> None:
    state, blobs, sender, body = cases()[kind]
    item = MessageReceived(signed=WORLD.sent(sender, body).signed)
    assert MACHINE.step(state, item, WORLD.context(blobs)).progressed


@pytest.mark.parametrize("kind", cases())
def test_a_changed_message_is_refused_or_answered(kind: str) -> None:
    state, blobs, sender, honest = cases()[kind]
    random, tried = Random(kind), 0
    for changed in variants(decoded(pack(honest)), random):
        try:
            body = validated(CHECKED_TYPES[kind], changed)
        except ProtocolViolation:
            continue
        tried += 1
        item = MessageReceived(signed=WORLD.sent(sender, body).signed)
        try:
            MACHINE.step(state, item, WORLD.context(blobs))
        except (ProtocolViolation, EarlyInput, StaleInput):
            continue
    assert bool(tried) is (kind != ADDRESS_ALONE)


@pytest.mark.parametrize("at", [(0, 0), (1, 0), (1, 2), (1, 900), (2, 1), (9_999, 1)])
@pytest.mark.parametrize("kind", cases())
def test_a_message_for_another_place_is_refused_or_answered(kind: str, at: tuple[int, int]) -> None:
    state, blobs, sender, body = cases()[kind]
    item = MessageReceived(signed=WORLD.sent(sender, body, at=at).signed)
    try:
        step = MACHINE.step(state, item, WORLD.context(blobs))
    except (ProtocolViolation, EarlyInput):
        return
    assert kind in ("checked_started", "moment_request") or not step.progressed


def test_these_are_all_checked_messages_that_reach_the_buyer() -> None:
    taken = {row.input for row in MACHINE.rows if row.input in CHECKED_TYPES}
    assert set(cases()) == taken
