"""Metrics and verdicts that come in, and who is silent when they do not."""

import pytest

from tests.support.roles.checked_aggregator import VALIDATORS, facts_of, sent, stopped_before
from tests.support.roles.small_markets import altered, body_of, resigned


def left_out(effects) -> list[tuple[str, str]]:
    return [(data["participant"], data["code"]) for name, data in facts_of(effects) if name == "dropped"]


def test_a_metric_is_refused_that_is_of_other_evidence_or_of_no_member():
    before = stopped_before("proven_metric", 1)
    other = altered(before.market, before.message, evidence_digest=b"\0" * 32)
    assert before.refused(other) == "other_evidence"
    trainer = before.market.trainers()[0].address
    assert before.refused(resigned(before.market, before.message, sender=trainer)) == "not_a_validator"
    proof = body_of(before.message).proof
    assert before.refused(altered(before.market, before.message, proof=proof[:-1])) == "bad_proof"
    assert before.refused(resigned(before.market, before.message, attempt=2)) == "attempt_out_of_order"


def test_a_second_metric_is_refused():
    before = stopped_before("proven_metric", 1, which=1)
    first = before.market.sent("proven_metric")[0]
    assert before.refused(resigned(before.market, first)) == "measured_twice"


def test_another_members_metric_is_no_proof_of_ones_own():
    before = stopped_before("proven_metric", 1, which=2)
    thief = before.message.envelope.sender
    effects = before.receive(resigned(before.market, before.market.sent("proven_metric")[0], sender=thief))
    assert left_out(effects) == [(thief, "unproven_metric")]
    assert before.lane.status == "asking"
    assert before.lane.attempt == 2


def test_a_further_attempt_measures_the_public_start_under_a_mask_of_its_own():
    before = stopped_before("proven_metric", 1, which=2)
    effects = before.fire("checks:1.1")
    kinds = [kind for kind, _ in sent(effects) if kind != "participant_dropped"]
    assert kinds == ["attempt_announced", "moment_request"]
    (asked,) = (one.body for one in effects if one.effect == "send" and one.body.type == "moment_request")
    assert asked.start == "public"
    first = before.market.sent("moment_request")[0]
    assert asked.masked != body_of(first).masked


def test_a_verdict_is_refused_that_is_no_checkers_or_of_another_attempt():
    before = stopped_before("check_verdict", 1)
    checkers = {one.envelope.sender for one in before.market.sent("check_verdict") if one.envelope.round == 1}
    other = next(one.address for one in before.market.validators() if one.address not in checkers)
    assert before.refused(resigned(before.market, before.message, sender=other)) == "not_a_checker"
    digests = body_of(before.message).digests
    wrong = digests.model_copy(update={"model": b"\0" * 32})
    assert before.refused(altered(before.market, before.message, digests=wrong)) == "other_digests"


def test_a_second_verdict_is_refused():
    before = stopped_before("check_verdict", 1, which=1)
    first = next(one for one in before.market.sent("check_verdict") if one.envelope.round == 1)
    assert before.refused(resigned(before.market, first)) == "judged_twice"


def test_a_second_verdict_is_refused_when_the_attempt_goes_on_to_be_signed():
    before = stopped_before("metric_consent", 1)
    first = next(one for one in before.market.sent("check_verdict") if one.envelope.round == 1)
    opposite = altered(before.market, first, in_order=False, ground="start", digests=None)
    assert before.refused(opposite) == "judged_twice"
    assert before.lane.status == "agreeing"


def test_a_verdict_in_order_before_anything_was_opened_is_refused():
    before = stopped_before("ring_committed", 1)
    verdict = next(
        one
        for one in before.market.sent("check_verdict")
        if one.envelope.round == 1 and one.envelope.recipient == before.market.aggregator.address
    )
    assert before.refused(verdict) == "judged_too_early"


def test_with_both_verdicts_all_members_are_shown_all_metrics():
    before = stopped_before("check_verdict", 1, which=1)
    effects = before.receive()
    members = [one.address for one in before.market.validators()]
    assert [to for kind, to in sent(effects) if kind == "shown_metrics"] == members
    assert before.lane.status == "agreeing"


@pytest.mark.parametrize("which", [0, 1])
def test_where_a_verdict_is_missing_nobody_is_left_out_and_the_checkers_change(which):
    """The other checker may have kept its consent back, which nobody but the two of them sees."""
    before = stopped_before("check_verdict", 1, which=which)
    assert left_out(before.fire("checks:1.1")) == []
    assert before.lane.attempt == 2
    assert before.lane.validators.bit_count() == len(VALIDATORS)


def stopped_in_the_ring(name):
    before = stopped_before(name, 1, which=1)
    measured = {one.owner for one in before.lane.metrics}
    for metric in before.market.sent("proven_metric"):
        if metric.envelope.round == 1 and metric.envelope.sender not in measured:
            before.receive(metric)
    return before


def test_a_checker_that_has_not_committed_is_left_out():
    before = stopped_in_the_ring("ring_committed")
    silent = before.message.envelope.sender
    assert left_out(before.fire("checks:1.1")) == [(silent, "ring_late")]


def test_where_too_few_answer_all_are_told_who_was_waited_for_and_nobody_is_blamed():
    before = stopped_before("proven_metric", 1, which=1)
    lane = before.lane
    answered = {one.owner for one in lane.metrics}
    effects = before.fire("checks:1.1")
    (end,) = [data for name, data in facts_of(effects) if name == "gave_up"]
    assert (end["code"], end.get("accused")) == ("too_few_validators", None)
    members = set(before.party.decoded.parties.addresses(lane.validators))
    assert set(end["silent"]) == members - answered
    assert len(end["silent"]) == 2


@pytest.mark.parametrize("name", ["ring_nonce", "ring_shared"])
def test_a_checker_that_may_wait_for_the_other_ones_part_of_the_ring_stays(name):
    before = stopped_in_the_ring(name)
    assert left_out(before.fire("checks:1.1")) == []
    assert before.lane.attempt == 2


def test_what_is_for_an_attempt_that_is_over_is_noted_and_nobodys_fault():
    before = stopped_before("check_verdict", 2)
    for kind in ("proven_metric", "check_verdict", "ring_shared", "metric_consent"):
        old = next(
            one
            for one in before.market.sent(kind)
            if one.envelope.round == 1 and one.envelope.recipient == before.market.aggregator.address
        )
        assert [name for name, _ in facts_of(before.receive(old))] == ["input_late"]
