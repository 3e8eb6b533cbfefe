"""Proven updates and metrics, as they are read off messages and checked by everybody."""

import pytest

from protocol.bodies import body_of
from protocol.crypto.proofs.trainer import UpdateClaim, UpdateProofs
from protocol.crypto.proofs.validator import MetricClaim, MetricProofs
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.scales import MODEL_SCALE
from protocol.messages.rounds import ProvenMetric, ProvenUpdate
from protocol.roles.rounds.proofs import metric_proofs, read_metric, read_update, update_proofs
from protocol.types import RoundAttempt
from tests.support.roles.checked_attempt import AT, measuring

WORLD, ATTEMPT, _ = measuring()


def updates(round_number: int = 1) -> UpdateProofs:
    model = WORLD.start.read(WORLD.key, scale=MODEL_SCALE, count=WORLD.request.parameters)
    return update_proofs(WORLD.key, WORLD.identity, round_number, model, WORLD.request)


def metrics(at: RoundAttempt = AT) -> MetricProofs:
    return metric_proofs(WORLD.key, WORLD.identity, at, ATTEMPT.products, WORLD.request)


def update_claim(proofs: UpdateProofs, signed: SignedMessage, owner: str = "") -> UpdateClaim:
    sender = signed.envelope.sender
    commitments = WORLD.committed[owner or sender][0]
    return read_update(proofs, sender, body_of(signed, ProvenUpdate), commitments)


def metric_claim(proofs: MetricProofs, signed: SignedMessage, owner: str = "") -> MetricClaim:
    sender = signed.envelope.sender
    commitments = WORLD.committed[owner or sender][0]
    return read_metric(proofs, sender, body_of(signed, ProvenMetric), commitments)


def signed_metrics() -> list[SignedMessage]:
    return [signed for _, signed in ATTEMPT.metrics]


def test_honest_proofs_that_travelled_hold() -> None:
    assert updates().unproven([update_claim(updates(), one) for one in WORLD.updates]) == []
    assert metrics().unproven([metric_claim(metrics(), one) for one in signed_metrics()]) == []


def test_a_proof_holds_for_its_round_or_attempt_alone() -> None:
    """An update serves all attempts at its round; a metric is proven anew in each."""
    later = updates(2)
    claims = [update_claim(later, one) for one in WORLD.updates]
    assert later.unproven(claims) == [one.prover for one in claims]
    again = metrics(RoundAttempt(1, 2))
    measured = [metric_claim(again, one) for one in signed_metrics()]
    assert again.unproven(measured) == [one.prover for one in measured]


def test_one_cannot_send_anothers_as_ones_own() -> None:
    first, second = WORLD.updates
    thief = second.envelope.sender
    body = body_of(first, ProvenUpdate)
    claim = read_update(updates(), thief, body, WORLD.committed[thief][0])
    assert updates().unproven([claim]) == [thief]
    shown, other = signed_metrics()[:2]
    stolen = read_metric(
        metrics(),
        other.envelope.sender,
        body_of(shown, ProvenMetric),
        WORLD.committed[other.envelope.sender][0],
    )
    assert metrics().unproven([stolen]) == [other.envelope.sender]


def test_a_changed_metric_is_found_among_honest_ones() -> None:
    claims = [metric_claim(metrics(), one) for one in signed_metrics()]
    moved = tuple(WORLD.key.add(one, WORLD.key.lift(1)) for one in claims[1].metric)
    assert metrics().unproven([claims[0], claims[1]._replace(metric=moved), claims[2]]) == [claims[1].prover]


def test_numbers_of_another_count_or_length_are_refused() -> None:
    body = body_of(WORLD.updates[0], ProvenUpdate)
    sender = WORLD.updates[0].envelope.sender
    commitments = WORLD.committed[sender][0]
    for proof in (body.proof[:-1], (body.proof[0][1:], *body.proof[1:])):
        with pytest.raises(ProtocolViolation, match="bad_proof"):
            read_update(updates(), sender, body.model_copy(update={"proof": proof}), commitments)
    metric = body_of(signed_metrics()[0], ProvenMetric)
    member = signed_metrics()[0].envelope.sender
    fewer = metric.model_copy(update={"values": metric.values[:1]})
    with pytest.raises(ProtocolViolation, match="wrong_count"):
        read_metric(metrics(), member, fewer, WORLD.committed[member][0])
