"""What transcripts show of a round that the buyer's own word was against: part of `make campaigns`.

Who was named for it was named by makers that know two masks of what was opened. The aggregator's key opens
its own two; without it a transcript has none. It convicts nobody honest, and never says that an honest
aggregator has misnamed somebody.
"""

from functools import cache
from typing import Any
from unittest.mock import patch

import pytest

from protocol.envelope import SignedMessage
from protocol.roles.aggregator.rounds import ranges
from protocol.verification import finding
from protocol.verification.report import Report
from protocol.verification.verify import verify_entries
from tests.adversaries.arena import Arena, Deed
from tests.adversaries.catalogue import by_name
from tests.adversaries.deeds import changing
from tests.adversaries.run import played
from tests.protocol.roles.aggregator.rounds.test_ranges import denied
from tests.protocol.roles.rounds.denied_rounds import other_seed
from tests.support.roles.pure_party import Party
from tests.support.roles.transcripts import entries_of, expected, header_of


def report_of(arena: Arena, party: Party, *, with_key: bool = True) -> Report:
    key = party.signing_key if with_key else None
    return verify_entries(header_of(party), entries_of(arena, party), expected(key))


def blames(report: Report) -> set[tuple[str, str, str | None]]:
    """Of a report in which nobody was misnamed."""
    assert report.failure is None
    return {(one.code, one.finding, one.accused) for one in report.blames}


# ---- the buyer ----


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("name", ["buyer: wrong product", "buyer: sums denied"])
def test_a_buyer_that_is_left_when_ranges_are_in_order_is_convicted_with_masks_alone(name, with_key):
    arena = played(by_name()[name]).arena
    found = blames(report_of(arena, arena.aggregator, with_key=with_key))
    assert found == {("wrong_moments", "convicted" if with_key else "open", arena.buyer.address)}
    for party in arena.honest():
        if party is not arena.aggregator:
            assert {one for _code, one, _who in blames(report_of(arena, party))} <= {"open"}


@pytest.mark.parametrize("with_key", [True, False])
def test_at_a_further_attempt_as_at_the_first(with_key):
    arena = at_the_second_attempt()
    report = report_of(arena, arena.aggregator, with_key=with_key)
    finding = "convicted" if with_key else "open"
    assert ("wrong_moments", finding, arena.buyer.address) in blames(report)
    assert max(one.attempt for one in report.blames) == 2


@cache
def at_the_second_attempt() -> Arena:
    """A checker commits to something else first; those who check next are told of a denial."""

    def other(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
        return {"statement": b"\0" * 32} if body.purpose == "next model" else {}

    return denied("sums", "first checker", changing("ring_committed", other))


# ---- a trainer that only the makers see ----


def named_a_trainer() -> Arena:
    """Its sums are so little out of range that three masks could make them."""
    with patch.object(ranges, "out_of_range", lambda *_: [0]):
        return denied("sums")


def test_where_the_makers_saw_a_trainer_out_of_range_the_buyer_is_not_convicted():
    arena = named_a_trainer()
    trainer = arena.trainers()[0].address
    assert blames(report_of(arena, arena.aggregator, with_key=False)) == {("out_of_range", "open", trainer)}


def test_a_trainer_that_is_within_range_with_two_masks_off_was_misnamed():
    arena = named_a_trainer()
    failure = report_of(arena, arena.aggregator).failure
    assert failure is not None
    assert failure.code == "misnamed"
    assert arena.trainers()[0].address in failure.detail


def test_another_trainer_that_is_seen_here_acquits_nobody():
    arena = named_a_trainer()
    named, other = (one.address for one in arena.trainers()[:2])
    with patch.object(finding, "out_of_range", lambda *_: [1]):
        found = blames(report_of(arena, arena.aggregator))
    assert found == {("out_of_range", "open", named), ("out_of_range", "convicted", other)}


def test_a_buyer_that_was_named_although_a_trainer_is_out_of_range_was_misnamed():
    arena = denied("sums")
    with patch.object(finding, "out_of_range", lambda *_: [1]):
        failure = report_of(arena, arena.aggregator).failure
    assert failure is not None
    assert failure.code == "misnamed"


# ---- a checker that spoils the ring ----


def other_updates() -> Deed:
    def other(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
        return {"statement": b"\0" * 32} if body.purpose == "ranges" else {}

    return changing("ring_committed", other)


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("who", ["first checker", "second checker"])
def test_a_checker_that_commits_to_other_updates_is_convicted(who, with_key):
    arena = denied("sums", who, other_updates())
    found = blames(report_of(arena, arena.aggregator, with_key=with_key))
    assert found == {("too_few_validators", "convicted", arena.adversary)}


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("who", ["first checker", "second checker"])
def test_a_false_share_is_seen_only_where_the_other_checker_has_shown_it(who, with_key):
    arena = denied("sums", who, other_seed)
    said = "convicted" if with_key and who == "first checker" else "open"
    found = blames(report_of(arena, arena.aggregator, with_key=with_key))
    assert found == {("too_few_validators", said, arena.adversary)}
    for party in arena.honest():
        report = report_of(arena, party)
        assert report.failure is None or report.failure.code == "missing_message"
        assert {one.accused for one in report.blames if one.finding == "convicted"} <= {arena.adversary}
