"""After every cheat of `make adversaries`, what honest parties keep: part of `make campaigns`.

Whatever is recorded verifies, and nobody honest is convicted of anything. A cheat of the aggregator may show
in what others keep: then it is found there, or has misnamed somebody. Of two records that one party signed
what was kept tells whose they are.
"""

import pytest

from protocol.bodies import body_of
from protocol.messages import ParticipantDropped
from protocol.roles.engine.inputs import MessageReceived
from tests.adversaries.catalogue import ALL, by_name
from tests.adversaries.kept import report_of, wrongly_kept
from tests.adversaries.run import played


@pytest.mark.parametrize("name", [name for name, one in by_name().items() if not one.crashes])
def test_what_honest_parties_keep_convicts_nobody_honest(name):
    assert wrongly_kept(played(by_name()[name]).arena) == []


CONVICTED = {
    "trainer: re-blinded copy": ("unproven_update", {"aggregator"}),
    "validator: other error": ("unproven_metric", {"aggregator"}),
    "second checker: wrong seeds": ("false_question", {"aggregator", "validator"}),
    "buyer: zero claimed": ("bad_opening", {"aggregator", "validator"}),
    "buyer: zero denied": ("zero_denied", {"aggregator"}),
    "buyer: zero denied, of another": ("bad_opening", {"aggregator"}),
    "buyer: wrong answer to a checker": ("wrong_products", {"aggregator"}),
    "trainer: committed out of range": ("out_of_range", {"aggregator"}),
    "buyer: sums denied": ("wrong_moments", {"aggregator"}),
    "buyer: plausible error named, 8": ("errors_denied", {"aggregator"}),
    "validator: indefinite matrix": ("indefinite_matrix", {"aggregator"}),
}
"""What whoever cheats is convicted of, and by whose transcripts; others are not shown it."""


@pytest.mark.parametrize("name", CONVICTED)
def test_who_cheated_is_convicted_where_that_was_shown(name):
    arena, (code, tellers) = played(by_name()[name]).arena, CONVICTED[name]
    told = {
        arena.role_of(party.address)
        for party in arena.honest()
        for one in report_of(arena, party).blames
        if (one.finding, one.code, one.accused) == ("convicted", code, arena.adversary)
    }
    assert told == tellers


def test_the_checker_that_did_not_lie_was_misnamed():
    """The buyer proved something else; an aggregator names the checker that showed so, which keeps it."""
    arena = played(by_name()["buyer: zero claimed"]).arena
    verdicts = [one for one in arena.wire if one.envelope.type == "check_verdict"]
    complained = next(one for one in verdicts if not body_of(one).in_order)
    checker, place = arena.parties[complained.envelope.sender], complained.envelope
    body = ParticipantDropped(participant=checker.address, from_round=place.round, code="false_complaint")
    told = arena.message(
        arena.aggregator,
        checker,
        body,
        message_id=b"\x07" * 16,
        round_number=place.round,
        attempt=place.attempt,
    )
    arena.wire.append(told)
    checker.taken.append(MessageReceived(signed=told))
    failure = report_of(arena, checker).failure
    assert failure is not None
    assert failure.code == "misnamed"
    assert arena.buyer.address in failure.detail


def test_all_of_them_are_tried():
    assert len(by_name()) == len(ALL)
