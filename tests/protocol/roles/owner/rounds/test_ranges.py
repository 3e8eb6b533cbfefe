"""A checker takes part in opening trainers' ranges only where the buyer's signed word asks for it."""

import copy
from functools import cache
from unittest.mock import patch

import pytest

from protocol.envelope import SignedMessage
from protocol.messages.rounds import RangesAsked, RingOpeningRequest, ZeroTestEvidenceRequest
from protocol.roles.buyer.rounds import checks
from protocol.roles.engine.inputs import MessageReceived
from tests.adversaries.arena import Arena, prepared
from tests.support.roles.small_markets import altered, body_of, refusal, resigned


@cache
def _stopped(before: str, is_denied: bool) -> tuple[Arena, SignedMessage]:
    arena = prepared(1, late=True)
    arena.who, arena.adversary, arena.memory = "nobody", "nobody", {}
    open_sums = checks.open_sums
    with patch.object(checks, "open_sums", (lambda *_: [None]) if is_denied else open_sums):
        return arena, arena.run_until(before)


def stopped(before: str, *, is_denied: bool) -> tuple[Arena, SignedMessage]:
    """A market of its own before the first message of a type arrives."""
    arena, message = _stopped(before, is_denied)
    return copy.deepcopy(arena), message


def changed_complaints(arena: Arena, asked: SignedMessage) -> list[SignedMessage]:
    """Verdicts that do not show what the buyer has said against this attempt."""
    verdict = body_of(asked).complaint
    (denial, *_others) = body_of(verdict).evidence
    other = next(one for one in arena.checkers() if one != verdict.envelope.sender)
    opened = arena.sent("zero_test_result")[0]
    wrong = (
        resigned(arena, denial, sender=other),
        resigned(arena, denial, recipient=other),
        resigned(arena, denial, attempt=2),
        SignedMessage(envelope=denial.envelope, body=denial.body, signature=b"\1" * 65),
        opened,
    )
    assert denial.envelope.sender == arena.buyer.address
    return [
        *(altered(arena, verdict, evidence=(one,)) for one in wrong),
        altered(arena, verdict, evidence=()),
        resigned(arena, verdict, attempt=2),
        resigned(arena, verdict, sender=arena.trainers()[0].address),
        SignedMessage(envelope=verdict.envelope, body=verdict.body, signature=b"\1" * 65),
        denial,
    ]


def test_no_range_is_opened_on_anything_but_the_buyers_word():
    arena, asked = stopped("ranges_asked", is_denied=True)
    party = arena.parties[asked.envelope.recipient]
    wrong = changed_complaints(arena, asked)
    found = [refusal(arena, party, altered(arena, asked, complaint=one)) for one in wrong[:-1]]
    assert found == ["not_denied"] * (len(wrong) - 1)


def test_a_checker_commits_once_and_nobody_else_does():
    arena, asked = stopped("ranges_asked", is_denied=True)
    party = arena.parties[asked.envelope.recipient]
    other = next(one for one in arena.validators() if one.address not in arena.checkers())
    assert refusal(arena, other, resigned(arena, asked, recipient=other.address)) == "not_a_checker"
    trainer = arena.trainers()[0].address
    assert refusal(arena, party, resigned(arena, asked, sender=trainer)) == "wrong_sender"
    step = arena.deliver(party, MessageReceived(signed=asked))
    assert {one.body.type for one in step.effects if one.effect == "send"} == {"ring_committed"}
    assert refusal(arena, party, resigned(arena, asked)) == "asked_twice"


@pytest.mark.parametrize("purpose", ["evidence", "ranges"])
def test_a_buyer_that_has_said_nothing_against_an_attempt_shows_and_opens_nothing(purpose):
    arena, _verdict = stopped("check_verdict", is_denied=False)
    body = (
        ZeroTestEvidenceRequest(checker=arena.checkers()[0])
        if purpose == "evidence"
        else RingOpeningRequest(purpose="ranges", product=(b"\5",), signatures=(b"\1" * 65,) * 3)
    )
    asked = arena.message(arena.aggregator, arena.buyer, body, round_number=1, attempt=1)
    assert refusal(arena, arena.buyer, asked) == "not_denied"


def test_a_range_is_asked_for_with_a_verdict():
    arena, asked = stopped("ranges_asked", is_denied=True)
    assert isinstance(body_of(asked), RangesAsked)
    assert body_of(asked).complaint.envelope.sender in arena.checkers()
