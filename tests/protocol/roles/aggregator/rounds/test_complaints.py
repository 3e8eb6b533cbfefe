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


@pytest.mark.parametrize("ground", ["start", "proof", "request", "subtraction", "projection"])
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


def denied_test(before: Stopped) -> tuple[SignedMessage, SignedMessage]:
    """The buyer's word that a checker's test is not zero, and the test that the other one has signed."""
    return told(before, "zero_test_result", opening=None), told(before, "zero_test_consent")


def test_of_a_test_that_the_buyer_denies_it_is_asked_what_it_is():
    before = stopped_before("check_verdict", 1)
    effects = before.receive(complaint(before, "projection", *denied_test(before)))
    assert before.lane.status == "questioning"
    asked = [(one.body.type, one.recipient) for one in effects if one.effect == "send"]
    assert asked == [("zero_test_evidence_request", before.market.buyer.address)]
    assert not named(effects)


def test_a_denial_without_the_signed_test_shows_nothing_against_the_buyer():
    """An honest checker has asked nothing without it."""
    before = stopped_before("check_verdict", 1)
    liar = before.message.envelope.sender
    denied, consent = denied_test(before)
    for other in ((), (altered(before.market, consent, zero=b"\0"),)):
        fresh = stopped_before("check_verdict", 1)
        assert named(fresh.receive(complaint(fresh, "projection", denied, *other))) == [
            (liar, "false_complaint")
        ]


def test_a_proof_that_holds_and_is_said_to_be_none_names_the_checker():
    """With the signed test, and without it: an honest checker shows it."""
    for kinds in (("zero_test_result", "zero_test_consent"), ("zero_test_result",)):
        before = stopped_before("check_verdict", 1)
        liar = before.message.envelope.sender
        effects = before.receive(complaint(before, "projection", *(told(before, kind) for kind in kinds)))
        assert named(effects) == [(liar, "false_complaint")]


def test_a_proof_that_holds_for_another_number_names_the_buyer():
    before = stopped_before("check_verdict", 1)
    proven = body_of(told(before, "zero_test_result")).opening
    wrong = told(before, "zero_test_result", opening=proven.model_copy(update={"root": proven.root + 1}))
    effects = before.receive(complaint(before, "projection", wrong, told(before, "zero_test_consent")))
    assert before.party.decoded.failure == "bad_opening"
    (end,) = [data for name, data in facts_of(effects) if name == "gave_up"]
    assert end["accused"] == before.market.buyer.address


def test_a_test_that_the_other_one_did_not_sign_shows_nothing_against_the_buyer():
    for zero in (b"\0", b"\1"):
        before = stopped_before("check_verdict", 1)
        liar = before.message.envelope.sender
        other = told(before, "zero_test_consent", zero=zero)
        other = resigned(before.market, other, sender=liar)
        effects = before.receive(complaint(before, "projection", told(before, "zero_test_result"), other))
        assert named(effects) == [(liar, "false_complaint")]


# ---- questions that are not signed ----


@pytest.mark.parametrize(
    "change",
    [
        lambda body: {"question_seed": b"q" * 32},
        lambda body: {"test_seed": b"t" * 32},
        lambda body: {"zero": body.request.masked[0]},
        lambda body: {"zero": b"\0"},
        lambda body: {"request": body.request.model_copy(update={"masked": body.request.masked * 2})},
    ],
    ids=["another question", "another test", "another number", "no number", "another request"],
)
def test_a_question_that_its_seeds_do_not_make_names_the_one_who_asked(change):
    before = stopped_before("check_verdict", 1)
    shown = told(before, "zero_test_shown")
    wrong = altered(before.market, shown, **change(body_of(shown)))
    effects = before.receive(complaint(before, "question", wrong))
    assert named(effects) == [(wrong.envelope.sender, "false_question")]
    assert (before.lane.attempt, before.lane.validators.bit_count()) == (2, 2)


def test_an_answer_of_another_attempt_or_to_another_names_the_one_who_asked():
    for changes in ({"attempt": 2}, {"recipient": None}, {"sender": None}):
        before = stopped_before("check_verdict", 1)
        shown = told(before, "zero_test_shown")
        other = {name: value or before.message.envelope.sender for name, value in changes.items()}
        answer = resigned(before.market, body_of(shown).answer, **other)
        wrong = altered(before.market, shown, answer=answer)
        effects = before.receive(complaint(before, "question", wrong))
        assert named(effects) == [(shown.envelope.sender, "false_question")]


def test_who_refuses_to_sign_what_its_seeds_make_is_named_itself_and_so_is_who_shows_nothing():
    for kinds in (("zero_test_shown",), (), ("zero_test_consent",)):
        before = stopped_before("check_verdict", 1)
        liar = before.message.envelope.sender
        effects = before.receive(complaint(before, "question", *(told(before, kind) for kind in kinds)))
        assert named(effects) == [(liar, "false_refusal")]


def test_a_question_may_be_refused_after_a_verdict_that_ones_own_tests_are_through():
    """The other one may show its question last, and would have the honest checker judge twice."""
    before = stopped_before("check_verdict", 1)
    before.receive()
    shown = told(before, "zero_test_shown")
    wrong = altered(before.market, shown, test_seed=b"t" * 32)
    effects = before.receive(complaint(before, "question", wrong))
    assert named(effects) == [(shown.envelope.sender, "false_question")]


# ---- commitments to something else ----


@pytest.mark.parametrize("purpose", ["next model", "metric", "ranges"])
def test_of_a_commitment_to_something_else_its_maker_is_named(purpose):
    """In the ring that is under way, or the one before: of one that has not begun nothing is known."""
    before = stopped_before("check_verdict", 1)
    complaining = before.message.envelope.sender
    honest = told_by_other(before)
    wrong = altered(before.market, honest, statement=b"\0" * 32, purpose=purpose)
    effects = before.receive(complaint(before, "shown", wrong))
    if purpose == "next model":
        assert named(effects) == [(honest.envelope.sender, "other_statement")]
    else:
        assert named(effects) == [(complaining, "false_complaint")]


def test_who_complains_of_a_commitment_to_the_same_or_shows_none_is_named_itself():
    for shows in (True, False):
        before = stopped_before("check_verdict", 1)
        complaining = before.message.envelope.sender
        evidence = (told_by_other(before),) if shows else ()
        assert named(before.receive(complaint(before, "shown", *evidence))) == [
            (complaining, "false_complaint")
        ]


def told_by_other(before: Stopped) -> SignedMessage:
    """The other checker's commitment, as this one got it."""
    checker, aggregator = before.message.envelope.sender, before.market.aggregator.address
    return next(
        one
        for one in before.market.sent("ring_committed")
        if one.envelope.recipient == checker and one.envelope.sender != aggregator and one.envelope.round == 1
    )


# ---- sums ----


def test_of_sums_that_the_buyer_says_are_out_of_range_the_trainers_ranges_are_asked_for():
    before = stopped_before("check_verdict", 1)
    opened = told(before, "ring_opening")
    (vector,) = body_of(opened).vectors
    outside = told(before, "ring_opening", vectors=(vector.model_copy(update={"openings": ()}),))
    verdict = complaint(before, "next_model", outside)
    effects = before.receive(verdict)
    assert before.lane.status == "ranging"
    asked = [one for one in effects if one.effect == "send" and one.body.type == "ranges_asked"]
    assert len({one.recipient for one in asked}) == 2
    assert {one.body.complaint for one in asked} == {verdict}
    assert not named(effects)


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
