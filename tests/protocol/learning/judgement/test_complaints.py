"""A verdict of "not in order" is looked into, whoever gave it."""

import pytest

from protocol.learning.judgement.complaints import (
    Ground,
    judge_complaint,
    judge_countersigning,
    judge_evidence,
)
from protocol.learning.judgement.faults import Demand, Fault, Findings, Offence, Parties
from protocol.learning.projection.answer import Finding
from protocol.learning.projection.countersigning import Liar

PARTIES = Parties("buyer", "aggregator", ("one", "two"))
PROVEN = {"one": True, "two": True}


@pytest.mark.parametrize(
    ("ground", "offence"),
    [
        (Ground.START, Offence.OTHER_START),
        (Ground.PROOF, Offence.UNPROVEN_UPDATE),
        (Ground.REQUEST, Offence.OTHER_REQUEST),
    ],
)
def test_the_aggregator_s_evidence_is_looked_through(ground: Ground, offence: Offence) -> None:
    assert judge_evidence(PARTIES, "one", ground, borne_out=True) == (Fault("aggregator", offence),)
    refuted = judge_evidence(PARTIES, "one", ground, borne_out=False)
    assert refuted == (Fault("one", Offence.FALSE_COMPLAINT),)
    with pytest.raises(ValueError, match="aggregator's evidence"):
        judge_complaint(PARTIES, "one", ground, PROVEN, Findings(), out_of_range=False)


def test_what_the_buyer_opened_is_not_judged_as_the_aggregator_s() -> None:
    for ground in (Ground.PROJECTION, Ground.NEXT_MODEL):
        with pytest.raises(KeyError):
            judge_evidence(PARTIES, "one", ground, borne_out=True)


def test_a_test_that_was_proven_zero_is_nothing_to_complain_of() -> None:
    for checker in PARTIES.checkers:
        found = judge_complaint(PARTIES, checker, Ground.PROJECTION, PROVEN, Findings(), out_of_range=False)
        assert found == (Fault(checker, Offence.FALSE_COMPLAINT),)


def test_a_test_that_was_not_is_looked_into() -> None:
    findings = Findings(request=True, evidence={"one": Finding.ZERO})
    tests = {"one": False, "two": True}
    found = judge_complaint(PARTIES, "one", Ground.PROJECTION, tests, findings, out_of_range=False)
    assert found == (Fault("buyer", Offence.ZERO_DENIED),)
    found = judge_complaint(PARTIES, "one", Ground.PROJECTION, {"two": True}, findings, out_of_range=False)
    assert found is Demand.TESTS


def test_that_a_model_is_out_of_range_is_the_buyer_s_word_or_the_checker_s() -> None:
    findings = Findings(request=True, in_range={"t": True}, subtraction=True)

    def judged(*, said: bool, shares: bool | None) -> object:
        shown = Findings(findings.request, {}, findings.in_range, findings.subtraction, shares)
        return judge_complaint(PARTIES, "two", Ground.NEXT_MODEL, PROVEN, shown, out_of_range=said)

    assert judged(said=True, shares=None) == (Fault("buyer", Offence.WRONG_MOMENTS),)
    assert judged(said=False, shares=None) is Demand.SHARES
    assert judged(said=False, shares=True) == (Fault("buyer", Offence.WRONG_MOMENTS),)
    assert judged(said=False, shares=False) == (Fault("two", Offence.FALSE_COMPLAINT),)


def test_a_question_that_is_not_countersigned_is_judged_by_its_seeds() -> None:
    assert judge_countersigning("one", "two", Liar.ASKER) == (Fault("one", Offence.FALSE_QUESTION),)
    assert judge_countersigning("one", "two", Liar.COUNTERSIGNER) == (Fault("two", Offence.FALSE_REFUSAL),)
