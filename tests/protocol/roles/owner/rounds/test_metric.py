"""A member signs what it has formed itself, and no other verdicts, metrics or noise."""

from collections.abc import Callable
from typing import Any

import pytest

from protocol.bodies import body_of
from protocol.codec import unpack
from protocol.crypto.cipher import read_ciphertexts, write_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages.rounds import CheckVerdict, MetricConsent, ProvenMetric, ShownMetrics, ShownNoise
from protocol.roles.engine.effects import SendMessage
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import replace
from protocol.roles.rounds.attempt import consent_digest, ring_context
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.signatures import recover_address
from tests.support.roles.checked_attempt import AT
from tests.support.roles.checked_owners import CHECKED, MEASURED, Machined, PlayedAttempt, played

Wrong = Callable[[PlayedAttempt], ShownMetrics]


def said(step: Any, kind: type) -> list[Any]:
    return [one.body for one in step.effects if isinstance(one, SendMessage) and isinstance(one.body, kind)]


def shown_metrics(play: PlayedAttempt, **changes: Any) -> ShownMetrics:
    verdicts = {one.envelope.sender: one for one in play.of_type("check_verdict")}
    metrics = {one.envelope.sender: one for one in play.of_type("proven_metric")}
    body = ShownMetrics(
        verdicts=tuple(verdicts[one] for one in play.world.checkers),
        metrics=tuple(metrics[one] for one in play.world.members),
    )
    return replace(body, **changes)


def shown_to(play: PlayedAttempt, member: Machined, body: Any, at: tuple[int, int] = AT) -> Any:
    return member.step(play.signed(play.world.aggregator, member.address, body, at))


def verdict(play: PlayedAttempt, place: int, **changes: Any) -> SignedMessage:
    """A checker's, changed and signed by it."""
    body = body_of(shown_metrics(play).verdicts[place], CheckVerdict)
    return play.signed(play.world.checkers[place], play.world.aggregator, replace(body, **changes))


def with_verdict(play: PlayedAttempt, one: SignedMessage, place: int = 1) -> ShownMetrics:
    verdicts = list(shown_metrics(play).verdicts)
    verdicts[place] = one
    return shown_metrics(play, verdicts=tuple(verdicts))


def with_metric(play: PlayedAttempt, member: str, **changes: Any) -> ShownMetrics:
    """With another metric of one member, signed by it."""
    metrics = list(shown_metrics(play).metrics)
    place = play.world.members.index(member)
    body = replace(body_of(metrics[place], ProvenMetric), **changes)
    metrics[place] = play.signed(member, play.world.aggregator, body)
    return shown_metrics(play, metrics=tuple(metrics))


def one_verdict(play: PlayedAttempt) -> ShownMetrics:
    return shown_metrics(play, verdicts=shown_metrics(play).verdicts[:1])


def one_verdict_twice(play: PlayedAttempt) -> ShownMetrics:
    return shown_metrics(play, verdicts=shown_metrics(play).verdicts[:1] * 2)


def a_member_s_verdict(play: PlayedAttempt) -> ShownMetrics:
    (member,) = play.others
    body = body_of(shown_metrics(play).verdicts[1], CheckVerdict)
    return with_verdict(play, play.signed(member.address, play.world.aggregator, body))


def verdict_not_in_order(play: PlayedAttempt) -> ShownMetrics:
    return with_verdict(play, verdict(play, 1, in_order=False, ground="projection"))


def verdicts_that_differ(play: PlayedAttempt) -> ShownMetrics:
    digests = body_of(shown_metrics(play).verdicts[1], CheckVerdict).digests
    assert digests is not None
    return with_verdict(play, verdict(play, 1, digests=replace(digests, product=b"o" * 32)))


def verdict_without_digests(play: PlayedAttempt) -> ShownMetrics:
    return shown_metrics(play, verdicts=(verdict(play, 0, digests=None), verdict(play, 1, digests=None)))


def verdicts_of_another_model(play: PlayedAttempt) -> ShownMetrics:
    digests = body_of(shown_metrics(play).verdicts[1], CheckVerdict).digests
    assert digests is not None
    other = replace(digests, model=b"o" * 32)
    return shown_metrics(play, verdicts=(verdict(play, 0, digests=other), verdict(play, 1, digests=other)))


def verdict_of_another_attempt(play: PlayedAttempt) -> ShownMetrics:
    body = body_of(shown_metrics(play).verdicts[1], CheckVerdict)
    sender = play.world.checkers[1]
    return with_verdict(play, play.signed(sender, play.world.aggregator, body, (1, 2)))


def forged_verdict(play: PlayedAttempt) -> ShownMetrics:
    first, second = shown_metrics(play).verdicts
    return with_verdict(play, replace(second, body=first.body))


def a_metric_missing(play: PlayedAttempt) -> ShownMetrics:
    return shown_metrics(play, metrics=shown_metrics(play).metrics[:-1])


def metrics_swapped(play: PlayedAttempt) -> ShownMetrics:
    return shown_metrics(play, metrics=tuple(reversed(shown_metrics(play).metrics)))


def metric_of_other_evidence(play: PlayedAttempt) -> ShownMetrics:
    return with_metric(play, play.others[0].address, evidence_digest=b"o" * 32)


def shifted(play: PlayedAttempt, member: str) -> tuple[bytes, ...]:
    """A member's metric, one error off."""
    key = play.world.key
    body = body_of(shown_metrics(play).metrics[play.world.members.index(member)], ProvenMetric)
    numbers = read_ciphertexts(key, body.values, len(body.values))
    return tuple(write_ciphertexts(key, [one * key.lift(1) % key.n_squared for one in numbers]))


def unproven_metric(play: PlayedAttempt) -> ShownMetrics:
    member = play.others[0].address
    return with_metric(play, member, values=shifted(play, member))


def another_s_proof(play: PlayedAttempt) -> ShownMetrics:
    """A member that shows another's metric and proof for its own."""
    other = body_of(shown_metrics(play).metrics[0], ProvenMetric)
    return with_metric(play, play.world.members[-1], values=other.values, proof=other.proof)


WRONG: list[tuple[Wrong, set[str]]] = [
    (one_verdict, {"wrong_evidence"}),
    (one_verdict_twice, {"wrong_evidence"}),
    (a_member_s_verdict, {"wrong_evidence"}),
    (verdict_not_in_order, {"not_in_order"}),
    (verdicts_that_differ, {"checkers_disagree"}),
    (verdict_without_digests, {"checkers_disagree"}),
    (verdicts_of_another_model, {"other_attempt"}),
    (verdict_of_another_attempt, {"wrong_evidence"}),
    (forged_verdict, {"bad_signature"}),
    (a_metric_missing, {"too_few_metrics"}),
    (metrics_swapped, {"metrics_out_of_order"}),
    (metric_of_other_evidence, {"other_evidence"}),
    (unproven_metric, {"unproven_metric", "own_metric_changed"}),
    (another_s_proof, {"unproven_metric", "own_metric_changed"}),
]


@pytest.mark.parametrize(("wrong", "codes"), WRONG, ids=lambda one: getattr(one, "__name__", ""))
def test_members_refuse_what_was_not_agreed(wrong: Wrong, codes: set[str]) -> None:
    play = played(*CHECKED)
    body, found = wrong(play), set()
    for member in play.members.values():
        before = member.state
        with pytest.raises(ProtocolViolation) as refused:
            shown_to(play, member, body)
        found.add(refused.value.code)
        assert member.state == before
    assert found == codes


def test_checkers_verify_all_others_proofs_and_nothing_is_signed_that_they_refuse() -> None:
    """A member that does not check has formed a product, and waits for noise that no checker goes on with."""
    play = played(*CHECKED)
    first, second = play.checkers
    (member,) = play.others
    body = with_metric(play, first.address, values=shifted(play, first.address))
    for checker, code in ((first, "own_metric_changed"), (second, "unproven_metric")):
        with pytest.raises(ProtocolViolation, match=code):
            shown_to(play, checker, body)
        assert checker.state.attempt.measuring is None
    step = shown_to(play, member, body)
    assert said(step, MetricConsent) == []
    assert member.state.attempt.measuring.consent is None


def test_a_member_finds_its_own_metric_unchanged() -> None:
    play = played(*CHECKED)
    (member,) = play.others
    body = with_metric(play, member.address, values=shifted(play, member.address))
    with pytest.raises(ProtocolViolation, match="own_metric_changed"):
        shown_to(play, member, body)


def test_a_checker_acts_on_no_verdict_under_its_name_but_its_own() -> None:
    """Both verdicts agree in a product that it has never signed, as if two others had checked."""
    play = played(*CHECKED)
    digests = body_of(shown_metrics(play).verdicts[1], CheckVerdict).digests
    assert digests is not None
    other = replace(digests, product=b"o" * 32)
    body = shown_metrics(play, verdicts=(verdict(play, 0, digests=other), verdict(play, 1, digests=other)))
    with pytest.raises(ProtocolViolation, match="other_attempt"):
        shown_to(play, play.checkers[0], body)


def test_metrics_are_shown_once_and_by_the_aggregator() -> None:
    play = played(*CHECKED)
    member, body = play.checkers[0], shown_metrics(play)
    with pytest.raises(ProtocolViolation, match="wrong_sender"):
        member.step(play.signed(play.world.buyer, member.address, body))
    shown_to(play, member, body)
    with pytest.raises(ProtocolViolation, match="shown_twice"):
        shown_to(play, member, body)


def test_a_complaint_told_to_members_alone_stops_nothing() -> None:
    """With its verdict to the aggregator, a checker would have those that wait taken for silent."""
    play = played(*CHECKED)
    member, body = play.others[0], CheckVerdict(in_order=False, ground="request")
    step = member.step(play.signed(play.world.checkers[0], member.address, body))
    assert [(one.name, one.data["code"]) for one in step.effects] == [("check_failed", "request_contested")]
    shown_to(play, member, shown_metrics(play))
    assert member.state.attempt.measuring is not None
    other = play.checkers[1]
    with pytest.raises(ProtocolViolation, match="not_a_checker"):
        other.step(play.signed(member.address, other.address, body))


# ---- noise ----


def shown_noise(play: PlayedAttempt) -> ShownNoise:
    (one, *_) = [one for one in play.wire if one.envelope.type == "shown_noise"]
    return body_of(one, ShownNoise)


def test_every_member_signs_the_same_product_with_its_facts() -> None:
    play = played(*MEASURED)
    world = play.world
    ring = ring_context(world.identity, AT, Purpose.METRIC, world.aggregator, world.checkers)
    measuring = play.others[0].state.attempt.measuring
    stored = {member.state.attempt.measuring.noisy for member in play.members.values()}
    assert stored == {measuring.noisy}
    noisy = play.others[0].blobs[measuring.noisy.digest]
    numbers = unpack(SharedNumbers, noisy).numbers
    product = read_ciphertexts(world.key, numbers, len(numbers))
    digest = consent_digest(world.key, ring, product, measuring.facts)
    for one in play.of_type("metric_consent"):
        assert recover_address(digest, body_of(one, MetricConsent).signature) == one.envelope.sender


def test_noise_shown_again_gets_the_same_signature_and_other_noise_none() -> None:
    play = played(*MEASURED)
    body = shown_noise(play)
    swapped = replace(body, shares=(body.shares[1], body.shares[0], body.shares[2]))
    shares = tuple(read_ciphertexts(play.world.key, one, len(one)) for one in body.shares)
    moved = [one * play.world.key.lift(1) % play.world.key.n_squared for one in shares[2]]
    other = replace(body, shares=(*body.shares[:2], tuple(write_ciphertexts(play.world.key, moved))))
    for member in play.members.values():
        before = member.state
        (consent,) = said(shown_to(play, member, body), MetricConsent)
        assert consent == member.state.attempt.measuring.consent.load(MetricConsent, member.context())
        # The product is the same in whatever order its shares are shown.
        assert said(shown_to(play, member, swapped), MetricConsent) == [consent]
        with pytest.raises(ProtocolViolation) as refused:
            shown_to(play, member, other)
        assert refused.value.code == ("bad_share" if member in play.checkers else "second_noise")
        assert member.state == before


def test_a_checker_signs_no_other_shares_than_its_ring_s() -> None:
    """An aggregator that shows another share in its own place: it could hold a weight."""
    play = played(*MEASURED[:-1])
    play.show_noise()
    body = body_of(play.queue[-1], ShownNoise)
    weight = tuple(write_ciphertexts(play.world.key, [play.world.vectors[0][0]] * len(body.shares[0])))
    for checker in play.checkers:
        with pytest.raises(ProtocolViolation, match="bad_share"):
            shown_to(play, checker, replace(body, shares=(weight, *body.shares[1:])))
        with pytest.raises(ProtocolViolation, match="bad_share"):
            shown_to(play, checker, replace(body, shares=((), *body.shares[1:])))


def test_noise_waits_for_the_metrics() -> None:
    play, whole = played(*CHECKED), played(*MEASURED)
    with pytest.raises(EarlyInput):
        shown_to(play, play.others[0], shown_noise(whole))
