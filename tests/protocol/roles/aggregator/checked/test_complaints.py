"""Verdicts that find an attempt not in order: what they show, and who is named for it."""

import pytest

from protocol.envelope import SignedMessage
from tests.support.roles.checked_aggregator import Stopped, facts_of, stopped_before
from tests.support.roles.small_markets import altered, body_of, resigned


def complaint(before: Stopped, ground: str, *evidence: SignedMessage) -> SignedMessage:
    """Of the checker whose verdict was about to arrive."""
    changes = {"in_order": False, "ground": ground, "digests": None, "projection": None}
    return altered(before.market, before.message, **changes, evidence=evidence)


def told(before: Stopped, kind: str, **changes: object) -> SignedMessage:
    """A message that this checker got, with a changed body under its sender's signature."""
    checker = before.message.envelope.sender
    found = next(
        one
        for one in before.market.sent(kind)
        if one.envelope.recipient == checker and one.envelope.round == 1
    )
    return altered(before.market, found, **changes)


def named(effects) -> list[tuple[str, str]]:
    return [(data["participant"], data["code"]) for name, data in facts_of(effects) if name == "dropped"]


@pytest.mark.parametrize("ground", ["start", "proof", "request", "projection"])
def test_a_complaint_that_shows_nothing_is_false_and_its_checker_leaves(ground):
    before = stopped_before("check_verdict", 1)
    liar = before.message.envelope.sender
    effects = before.receive(complaint(before, ground))
    assert named(effects) == [(liar, "false_complaint")]
    assert before.lane.attempt == 2
    said = {name: data for name, data in facts_of(effects) if name in ("check_failed", "attempt_over")}
    assert said["attempt_over"] == {"round": 1, "attempt": 1, "code": "false_complaint"}
    assert (said["check_failed"]["checker"], said["check_failed"]["attempt"]) == (liar, 1)


def test_a_complaint_shows_what_its_own_checker_was_told_in_this_attempt():
    before = stopped_before("check_verdict", 1)
    liar = before.message.envelope.sender
    denied = told(before, "zero_test_result", opening=None)
    buyer = before.market.buyer.address
    other = next(one.address for one in before.market.validators() if one.address != liar)
    wrong = (
        resigned(before.market, denied, recipient=other),
        resigned(before.market, denied, attempt=2),
        resigned(before.market, denied, sender=other),
        SignedMessage(envelope=denied.envelope, body=denied.body, signature=b"\1" * 65),
    )
    assert denied.envelope.sender == buyer
    for evidence in wrong:
        fresh = stopped_before("check_verdict", 1)
        effects = fresh.receive(complaint(fresh, "projection", evidence))
        assert named(effects) == [(liar, "false_complaint")]


def test_a_test_that_the_buyer_itself_denies_ends_the_training_and_names_nobody():
    before = stopped_before("check_verdict", 1)
    denied = told(before, "zero_test_result", opening=None)
    effects = before.receive(complaint(before, "projection", denied))
    assert before.party.decoded.failure == "projection_failed"
    assert not named(effects)
    assert {one.body.fault for one in effects if one.effect == "send"} == {None}


def test_a_proof_that_is_said_to_be_none_names_nobody_and_changes_the_checkers():
    before = stopped_before("check_verdict", 1)
    effects = before.receive(complaint(before, "projection", told(before, "zero_test_result")))
    assert not named(effects)
    assert (before.lane.attempt, before.lane.validators.bit_count()) == (2, 3)


def test_a_question_that_is_not_countersigned_names_nobody_and_changes_the_checkers():
    before = stopped_before("check_verdict", 1)
    refused = told(before, "zero_test_consent", refusal="other_zero_test", signature=None)
    effects = before.receive(complaint(before, "projection", refused))
    assert not named(effects)
    assert before.lane.attempt == 2


def test_sums_that_the_buyer_says_are_out_of_range_end_the_training():
    before = stopped_before("check_verdict", 1)
    opened = told(before, "ring_opening")
    (vector,) = body_of(opened).vectors
    outside = told(before, "ring_opening", vectors=(vector.model_copy(update={"openings": ()}),))
    before.receive(complaint(before, "next_model", outside))
    assert before.party.decoded.failure == "next_model_failed"


def test_sums_that_are_open_are_not_for_our_eyes_and_name_nobody():
    """Shown or not: under another mask they may be out of range, and an honest checker is never named."""
    for evidence in ((), ("ring_opening",)):
        before = stopped_before("check_verdict", 1)
        shown = (told(before, kind) for kind in evidence)
        effects = before.receive(complaint(before, "next_model", *shown))
        assert not named(effects)
        assert (before.lane.attempt, before.lane.validators.bit_count()) == (2, 3)


def test_nobody_complains_of_sums_before_they_are_opened():
    verdict = complaint(stopped_before("check_verdict", 1), "next_model")
    before = stopped_before("ring_committed", 1)
    assert named(before.receive(verdict)) == [(verdict.envelope.sender, "false_complaint")]


def test_openings_that_are_none_are_the_buyers_fault():
    before = stopped_before("check_verdict", 1)
    (vector,) = body_of(told(before, "ring_opening")).vectors
    first, *others = vector.openings
    wrong = first.model_copy(update={"plaintext": first.plaintext + 1})
    for openings in ((wrong, *others), (first, *others, first)):
        before = stopped_before("check_verdict", 1)
        changed = vector.model_copy(update={"openings": openings})
        opened = told(before, "ring_opening", vectors=(changed,))
        effects = before.receive(complaint(before, "next_model", opened))
        assert before.party.decoded.failure == "bad_opening"
        faults = {one.body.fault for one in effects if one.effect == "send"}
        assert faults == {before.market.buyer.address}
