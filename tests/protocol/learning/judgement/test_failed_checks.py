"""The order in which things are shown, step by step, and what each step would miss if it were left out."""

import itertools
from dataclasses import replace

import pytest

from protocol.errors import MisuseError
from protocol.learning.judgement.failed_checks import judge_next_model, judge_projections
from protocol.learning.judgement.faults import Demand, Fault, Findings, Offence, Parties
from protocol.learning.projection.answer import Finding

PARTIES = Parties("buyer", "aggregator", ("one", "two"))
BOTH, ALONE = {"one": False, "two": False}, {"one": False, "two": True}
RIGHT = Findings(
    request=True,
    evidence={"one": Finding.NOT_ZERO, "two": Finding.NOT_ZERO},
    in_range={"t0": True, "t1": True},
    subtraction=True,
    shares=True,
)


def named(accused: str, offence: Offence) -> tuple[Fault, ...]:
    return (Fault(accused, offence),)


def test_what_is_not_shown_yet_is_demanded_in_order() -> None:
    shown = Findings()
    for demand, step in (
        (Demand.REQUEST_MASKS, {"request": True}),
        (Demand.EVIDENCE, {"evidence": RIGHT.evidence}),
        (Demand.RANGES, {"in_range": RIGHT.in_range}),
        (Demand.SUBTRACTION_ROOTS, {"subtraction": True}),
    ):
        assert judge_projections(PARTIES, BOTH, shown) is demand
        shown = replace(shown, **step)
    assert judge_projections(PARTIES, BOTH, shown) == named("buyer", Offence.WRONG_MOMENTS)


def test_the_next_model_s_order_has_the_shares_last() -> None:
    shown = Findings()
    for demand, step in (
        (Demand.REQUEST_MASKS, {"request": True}),
        (Demand.RANGES, {"in_range": RIGHT.in_range}),
        (Demand.SUBTRACTION_ROOTS, {"subtraction": True}),
    ):
        assert judge_next_model(PARTIES, None, shown) is judge_next_model(PARTIES, "one", shown) is demand
        shown = replace(shown, **step)
    assert judge_next_model(PARTIES, None, shown) == named("buyer", Offence.WRONG_MOMENTS)
    assert judge_next_model(PARTIES, "one", shown) is Demand.SHARES
    borne_out, refuted = replace(shown, shares=True), replace(shown, shares=False)
    assert judge_next_model(PARTIES, "one", borne_out) == named("buyer", Offence.WRONG_MOMENTS)
    assert judge_next_model(PARTIES, "one", refuted) == named("one", Offence.FALSE_COMPLAINT)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"request": False}, Fault("aggregator", Offence.OTHER_REQUEST)),
        ({"in_range": {"t0": True, "t1": False}}, Fault("t1", Offence.OUT_OF_RANGE)),
        ({"subtraction": False}, Fault("aggregator", Offence.WRONG_SUBTRACTION)),
    ],
)
def test_each_step_names_its_own(wrong: dict[str, object], fault: Fault) -> None:
    findings = replace(RIGHT, **wrong)
    assert judge_projections(PARTIES, BOTH, findings) == (fault,)
    assert judge_next_model(PARTIES, None, findings) == (fault,)
    assert judge_next_model(PARTIES, "two", findings) == (fault,)


@pytest.mark.parametrize(
    ("finding", "offence"),
    [
        (Finding.FALSE_OPENING, Offence.FALSE_OPENING),
        (Finding.WRONG_PRODUCTS, Offence.WRONG_PRODUCTS),
        (Finding.ZERO, Offence.ZERO_DENIED),
    ],
)
def test_evidence_that_is_wrong_names_the_buyer_before_anybody_else(
    finding: Finding, offence: Offence
) -> None:
    for tests, outside in itertools.product((BOTH, ALONE), (True, False)):
        findings = replace(RIGHT, evidence={**RIGHT.evidence, "one": finding}, in_range={"t0": outside})
        assert judge_projections(PARTIES, tests, findings) == named("buyer", offence)


def test_all_trainers_out_of_range_are_named() -> None:
    findings = replace(RIGHT, in_range={"t0": False, "t1": True, "t2": False})
    found = judge_projections(PARTIES, BOTH, findings)
    assert found == (Fault("t0", Offence.OUT_OF_RANGE), Fault("t2", Offence.OUT_OF_RANGE))


def test_one_test_alone_names_its_checker_after_the_ranges() -> None:
    """A trainer out of range makes one test fail and not the other, as chance has it."""
    assert judge_projections(PARTIES, ALONE, RIGHT) == named("one", Offence.FALSE_QUESTION)
    assert judge_projections(PARTIES, {"one": True, "two": False}, RIGHT) == named(
        "two", Offence.FALSE_QUESTION
    )
    assert judge_projections(PARTIES, ALONE, replace(RIGHT, in_range=None)) is Demand.RANGES
    outside = replace(RIGHT, in_range={"t0": False})
    assert judge_projections(PARTIES, ALONE, outside) == named("t0", Offence.OUT_OF_RANGE)


def test_nobody_is_named_while_a_test_is_outstanding_or_for_none_that_failed() -> None:
    assert judge_projections(PARTIES, {"one": False}, RIGHT) is Demand.TESTS
    assert judge_projections(PARTIES, {"two": True}, RIGHT) is Demand.TESTS
    with pytest.raises(MisuseError, match="both tests are zero"):
        judge_projections(PARTIES, {"one": True, "two": True}, RIGHT)
