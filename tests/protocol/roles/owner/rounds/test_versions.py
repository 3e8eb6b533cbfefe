"""An aggregator that shows checkers different things is named, and no checker takes the other for a liar."""

from functools import lru_cache
from typing import Any

import pytest

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.messages.rounds import CheckVerdict, RingCommitted
from protocol.roles.engine.effects import RecordFact, SendMessage
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import replace
from tests.support.roles.checked_owners import Machined, PlayedAttempt, played


@lru_cache
def _kept_back() -> PlayedAttempt:
    return played("show", change=lambda one: () if one.envelope.type == "ring_committed" else (one,))


def uncommitted() -> tuple[PlayedAttempt, Machined, Machined]:
    """Checkers that have the evidence, and of each other's rings nothing."""
    play = _kept_back().copy()
    first, second = play.checkers
    return play, first, second


def committed(play: PlayedAttempt, sender: str, recipient: str, *, other: bool) -> SignedMessage:
    """A commitment as it was kept back, or to another statement."""
    (one,) = [
        one
        for one in play.wire
        if one.envelope.type == "ring_committed"
        and (one.envelope.sender, one.envelope.recipient) == (sender, recipient)
        and body_of(one, RingCommitted).purpose == "next model"
    ]
    body = body_of(one, RingCommitted)
    return play.signed(sender, recipient, replace(body, statement=b"o" * 32) if other else body)


def verdicts(step: Any) -> list[CheckVerdict]:
    bodies = [one.body for one in step.effects if isinstance(one, SendMessage)]
    return [one for one in bodies if isinstance(one, CheckVerdict)]


def named(step: Any) -> list[tuple[str, str]]:
    noted = [one.data for one in step.effects if isinstance(one, RecordFact) and one.name == "named"]
    return [(one["accused"], one["code"]) for one in noted]


def test_an_aggregator_that_commits_to_something_else_than_it_has_shown_is_named() -> None:
    play, checker, _ = uncommitted()
    wrong = committed(play, play.world.aggregator, checker.address, other=True)
    step = checker.step(wrong)
    assert verdicts(step) == [CheckVerdict(in_order=False, ground="shown", evidence=(wrong,))] * 3
    assert named(step) == [(play.world.aggregator, "two_versions")]
    assert checker.state.attempt.is_stopped


def test_of_two_checkers_that_differ_neither_is_named_by_the_other() -> None:
    """Either may lie, or have been shown something else: both commitments are shown to everybody."""
    play, checker, other = uncommitted()
    theirs = committed(play, other.address, checker.address, other=True)
    with pytest.raises(EarlyInput):
        checker.step(theirs)
    told = committed(play, play.world.aggregator, checker.address, other=False)
    checker.step(told)
    step = checker.step(theirs)
    assert verdicts(step) == [CheckVerdict(in_order=False, ground="shown", evidence=(theirs, told))] * 3
    assert named(step) == []


@pytest.mark.parametrize("stopped", [False, True])
def test_whoever_was_shown_something_else_than_a_checker_names_the_aggregator(stopped: bool) -> None:
    """A member that does not check, and the other checker, which may have stopped for the same reason."""
    play, checker, other = uncommitted()
    hearer = other if stopped else play.others[0]
    if stopped:
        other.step(committed(play, play.world.aggregator, other.address, other=True))
        assert other.state.attempt.is_stopped
    told = committed(play, play.world.aggregator, checker.address, other=True)
    verdict = CheckVerdict(in_order=False, ground="shown", evidence=(told,))
    step = hearer.step(play.signed(checker.address, hearer.address, verdict))
    assert named(step) == [(play.world.aggregator, "two_versions")]


def test_what_shows_no_other_version_names_nobody() -> None:
    play, checker, other = uncommitted()
    (hearer,) = play.others
    aggregator = play.world.aggregator
    told = committed(play, aggregator, checker.address, other=False)
    wrong = body_of(committed(play, aggregator, checker.address, other=True), RingCommitted)
    unsigned = play.signed(aggregator, checker.address, wrong)
    for evidence in (
        told,
        play.signed(other.address, checker.address, wrong),
        play.signed(aggregator, other.address, wrong),
        play.signed(aggregator, checker.address, wrong, (1, 2)),
        play.signed(aggregator, checker.address, replace(wrong, purpose="metric")),
        play.signed(aggregator, checker.address, replace(wrong, purpose="ranges")),
        SignedMessage(envelope=unsigned.envelope, body=unsigned.body, signature=told.signature),
    ):
        verdict = CheckVerdict(in_order=False, ground="shown", evidence=(evidence,))
        assert named(hearer.copy().step(play.signed(checker.address, hearer.address, verdict))) == []
