"""A round as its members and the aggregator saw it: all that the record follows from is worked out again."""

from collections.abc import Sequence
from dataclasses import replace

from protocol.bodies import body_of
from protocol.crypto.cipher import Ciphertext, read_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.messages.checked import ProvenMetric, RoundEvidence, ShownMetrics, ShownNoise
from protocol.records import RoundRecord
from protocol.roles.checked.attempt import ring_context
from protocol.roles.checked.members import member_weights
from protocol.roles.checked.products import weighted_product, with_shares
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import store
from protocol.roles.owner.checked.evidence import attempt_of, ground_of, require_evidence
from protocol.roles.owner.checked.metric import AgreedMetrics, agreed_metrics
from protocol.roles.owner.checked.state import Attempt
from protocol.roles.owner.checked.view import RoundView
from protocol.types import RoundAttempt
from protocol.verification.contents import Contents
from protocol.verification.next_model import require_ring
from protocol.verification.opening import Agreed
from protocol.verification.report import Check, naming
from protocol.verification.training import VerifiedTraining


def agreed_by_members(
    contents: Contents, training: VerifiedTraining, record: RoundRecord, at: RoundAttempt
) -> tuple[Agreed, list[Check]]:
    """The noisy product and the facts that every member signed, from evidence, verdicts, metrics and noise.

    Raises VerificationFailed, naming the message that the first failing check is of.
    """
    with naming("round_evidence", at.round):
        view, attempt = _evidence(contents, training, record, at)
    with naming("shown_metrics", at.round):
        agreed, body = _metrics(contents, view, attempt)
    with naming("shown_noise", at.round):
        product = _noisy(contents, view, attempt, agreed.metrics)
    ring = []
    if contents.header.role == "federated_aggregator":
        with naming("ring_opening_request", at.round):
            named = agreed.facts.digests.product
            signers = require_ring(contents, training, at, attempt.checkers, named)
        ring.append(Check(name="next model's ring signatures", count=signers))
    makers = ring_context(view.identity, at, Purpose.METRIC, training.request.aggregator, attempt.checkers)
    checks = [
        Check(name="update proofs", count=len(view.claims)),
        Check(name="request rebuilt from masks"),
        Check(name="moment products", count=len(view.products)),
        Check(name="checkers' verdicts", count=len(body.verdicts)),
        Check(name="metric proofs", count=len(body.metrics)),
        Check(name="product under noise"),
        *ring,
    ]
    return Agreed(product, agreed.facts, makers), checks


def _evidence(
    contents: Contents, training: VerifiedTraining, record: RoundRecord, at: RoundAttempt
) -> tuple[RoundView, Attempt]:
    """Evidence in which everything is in order, for the record's trainers and members."""
    body = contents.only(RoundEvidence, at, training.request.aggregator)
    parties = training.parties
    members = parties.mask(body.members)
    require(body.members == parties.addresses(members), "validators_out_of_order")
    require(members == record.validators, "wrong_members", "not those in the record")
    # Metrics are looked at as a member does: this one, or of the aggregator's transcript the first.
    own = contents.header.party if contents.header.party in body.members else body.members[0]
    context = replace(training.chance(f"evidence {at}"), address=own)
    view = RoundView(training, at, body, context)
    require_evidence(view, members)
    require(view.trainers == record.trainers, "wrong_trainers", "not those in the record")
    ground = ground_of(view)
    require(ground is None, "not_in_order", f"the {ground} does not hold")
    attempt, blobs = attempt_of(view, members)
    return replace(view, context=context.knowing(blobs)), attempt


def _metrics(contents: Contents, view: RoundView, attempt: Attempt) -> tuple[AgreedMetrics, ShownMetrics]:
    """Two equal verdicts, and every member's metric with its proof."""
    body = contents.only(ShownMetrics, attempt.at, view.state.request.aggregator)
    own = _own_metric(contents, view, attempt, body.metrics)
    kept, blob = store(own)
    measured = replace(view, context=view.context.knowing((blob,)))
    return agreed_metrics(measured, attempt.model_copy(update={"metric": kept}), body), body


def _own_metric(
    contents: Contents, view: RoundView, attempt: Attempt, shown: Sequence[SignedMessage]
) -> ProvenMetric:
    """What this member sent; the aggregator has sent none, and takes the one that it showed."""
    own = view.context.address
    if own == contents.header.party:
        return contents.only(ProvenMetric, attempt.at, own)
    found = [one for one in shown if one.envelope.sender == own]
    require(len(found) == 1, "metrics_out_of_order", f"{len(found)} metrics of {own}")
    return body_of(found[0], ProvenMetric)


def _noisy(
    contents: Contents, view: RoundView, attempt: Attempt, metrics: Sequence[Sequence[Ciphertext]]
) -> list[Ciphertext]:
    """Π X_v^(w_v) times the three shares."""
    body = contents.only(ShownNoise, attempt.at, view.state.request.aggregator)
    weights = list(member_weights(view.state.parties, attempt.members).values())
    made = weighted_product(view.key, metrics, weights, view.exchange.sets, view.widths.moments)
    shares = [read_ciphertexts(view.key, one, len(made)) for one in body.shares]
    return with_shares(view.key, made, shares)
