"""A member and everybody's metrics: it multiplies, and signs what is opened and of what; checkers verify.

It acts on two verdicts that agree and on nothing less, and has formed every number under its signature by
itself: the aggregator only shows signed messages.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from protocol.crypto.cipher import Ciphertext, read_ciphertexts, write_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.messages.rounds import CheckVerdict, MetricConsent, ProvenMetric, ShownMetrics, ShownNoise
from protocol.messages.rounds.values import AttemptDigests, AttemptFacts
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import Effect
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.owner.attempts import Attempt, Measuring
from protocol.roles.owner.rounds.evidence import link_of
from protocol.roles.owner.rounds.ring_views import ring_view
from protocol.roles.owner.rounds.turns import running_attempt, with_attempt
from protocol.roles.owner.rounds.view import RoundView, view_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.attempt import consent_digest, ring_context
from protocol.roles.rounds.forms import metric_statement
from protocol.roles.rounds.members import member_weights
from protocol.roles.rounds.products import weighted_product, with_shares
from protocol.roles.rounds.proofs import read_metric
from protocol.roles.rounds.record import require_facts
from protocol.roles.rounds.ring import product, ring_begin
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.roles.shared.parties import require_sender
from protocol.signatures import sign_digest
from protocol.types import Address

_WRONG = "wrong_evidence"


@dataclass(frozen=True)
class AgreedMetrics:
    """What was agreed, and the metrics of all members in seat order."""

    facts: AttemptFacts
    metrics: list[tuple[Ciphertext, ...]] = field(repr=False)


def on_shown_metrics(
    state: RunningState, received: Received[ShownMetrics], context: Context
) -> Step[OwnerState]:
    """Check verdicts and metrics, and multiply; a checker commits to its share of the noise.

    Raises ProtocolViolation: "shown_twice", and as `_verdicts` and `_metrics` do.
    """
    require_sender(received.sender, state.request.aggregator)
    attempt = running_attempt(state, received)
    require(attempt.measuring is None, "shown_twice")
    view = view_of(state, attempt, context)
    shown = agreed_metrics(view, attempt, received.body, proven=_taken_as_proven(attempt, state, context))
    weights = member_weights(state.parties, attempt.members)
    made = weighted_product(
        view.key, shown.metrics, list(weights.values()), view.exchange.sets, view.widths.moments
    )
    kept, blob = store(SharedNumbers(numbers=tuple(write_ciphertexts(view.key, made))))
    measuring = Measuring(facts=shown.facts, product=kept)
    effects: tuple[Effect, ...] = (blob,)
    if context.address in attempt.checkers:
        ring_of = ring_view(view, attempt, Purpose.METRIC)
        step = ring_begin(ring_of, metric_statement(view.key, made), context)
        flat = [number for metric in shown.metrics for number in metric]
        parts, parts_blob = store(SharedNumbers(numbers=tuple(write_ciphertexts(view.key, flat))))
        measuring = replace(measuring, ring=step.ring, parts=parts)
        effects = (blob, parts_blob, *step.effects)
    return with_attempt(state, replace(attempt, measuring=measuring), *effects)


def on_shown_noise(state: RunningState, received: Received[ShownNoise], context: Context) -> Step[OwnerState]:
    """Sign the product with its noise, together with what it is of; asked again, the same signature.

    A checker signs only what holds its own share and the one that it has made again: so nobody's noise is
    wider than it should be, or holds anything else. Raises ProtocolViolation("second_noise") for another one.
    """
    require_sender(received.sender, state.request.aggregator)
    attempt = running_attempt(state, received)
    measuring = attempt.measuring
    if measuring is None:
        raise EarlyInput
    view = view_of(state, attempt, context)
    noisy = SharedNumbers(numbers=_noisy(view, attempt, measuring, received.body, context))
    kept, blob = store(noisy)
    if measuring.consent is not None:
        require(measuring.noisy == kept, "second_noise")
        again = measuring.consent.load(MetricConsent, context)
        label = received.envelope.message_id.hex()
        return Step.unchanged(state, message(context, received.sender, again, attempt.at, label=label))
    consent = _consent(view, attempt, measuring, noisy, context)
    consented, consent_blob = store(consent)
    after = replace(measuring, noisy=kept, consent=consented)
    sent = message(context, received.sender, consent, attempt.at)
    return with_attempt(state, replace(attempt, measuring=after), blob, consent_blob, sent)


# ---- what is shown ----


def agreed_metrics(
    view: RoundView, attempt: Attempt, body: ShownMetrics, *, proven: Collection[Address] = ()
) -> AgreedMetrics:
    """What two verdicts and all metrics that an attempt's members were shown agree in, each checked.

    The proofs of the members `proven` are not. Raises ProtocolViolation as `agreed_facts` and `_metrics` do.
    """
    agreed = agreed_facts(view, attempt, body)
    return AgreedMetrics(agreed, _metrics(view, attempt, body.metrics, proven))


def _taken_as_proven(attempt: Attempt, state: RunningState, context: Context) -> tuple[Address, ...]:
    """Of whom a member verifies no proof of a metric: of itself; and of nobody, if it does not check.

    The checkers verify all others', and nothing is opened that they have not signed: the same facts, and so
    the very metrics that this member was shown.
    """
    if context.address in attempt.checkers:
        return (context.address,)
    return state.parties.addresses(attempt.members)


def agreed_facts(view: RoundView, attempt: Attempt, body: ShownMetrics) -> AttemptFacts:
    """The same without a look at the metrics' proofs.

    Raises ProtocolViolation as `_verdicts` and `record.require_facts` do.
    """
    facts = AttemptFacts(
        trainers=view.trainers,
        members=attempt.members,
        start=attempt.start,
        digests=_verdicts(view, attempt, body.verdicts),
        evidence=attempt.evidence_digest,
        metrics=tuple(signed.digest() for signed in body.metrics),
    )
    require_facts(facts, view.state.parties, link_of(view.state), attempt.at)
    return facts


def _verdicts(view: RoundView, attempt: Attempt, verdicts: Sequence[SignedMessage]) -> AttemptDigests:
    """What both checkers have found in order.

    Raises ProtocolViolation: "wrong_evidence" for other messages than one of each of them, "not_in_order",
    "checkers_disagree", or "other_attempt" where they have looked at something else than we were shown.
    """
    require(
        tuple(one.envelope.sender for one in verdicts) == attempt.checkers, _WRONG, "not of both checkers"
    )
    bodies = [view.signed(one, CheckVerdict, one.envelope.sender) for one in verdicts]
    require(all(one.in_order for one in bodies), "not_in_order")
    first, second = (one.digests for one in bodies)
    require(first is not None and first == second, "checkers_disagree")
    assert first is not None
    require(first == view.digests(first.product), "other_attempt", "checkers were shown something else")
    opened = attempt.opening
    # A checker's own test was of a product that it signed: no verdict under its name is of another.
    require(opened is None or opened.digest == first.product, "other_attempt", "another product was opened")
    return first


def _metrics(
    view: RoundView, attempt: Attempt, metrics: Sequence[SignedMessage], proven: Collection[Address]
) -> list[tuple[Ciphertext, ...]]:
    """Every member's, our own unchanged among them, all proven but those taken as `proven`.

    Raises ProtocolViolation as `signed_metrics` does, "own_metric_changed", or "unproven_metric".
    """
    bodies = signed_metrics(view, attempt, metrics)
    assert attempt.metric is not None  # an attempt that is not stopped has begun with it
    own = attempt.metric.load(ProvenMetric, view.context)
    require(bodies[view.context.address] == own, "own_metric_changed")
    proofs = view.metric_proofs
    claims = [read_metric(proofs, member, body, view.owners.of(member)) for member, body in bodies.items()]
    unproven = proofs.unproven([claim for claim in claims if claim.prover not in proven])
    require(not unproven, "unproven_metric", ", ".join(unproven))
    return [claim.metric for claim in claims]


def signed_metrics(
    view: RoundView, attempt: Attempt, metrics: Sequence[SignedMessage]
) -> dict[str, ProvenMetric]:
    """Every member's by its address, in seat order, of the evidence that we were shown; unproven.

    Raises ProtocolViolation: "metrics_out_of_order" unless there is one of each member in seat order, or
    "other_evidence".
    """
    members = view.state.parties.addresses(attempt.members)
    require(tuple(one.envelope.sender for one in metrics) == members, "metrics_out_of_order")
    bodies = {one.envelope.sender: view.signed(one, ProvenMetric, one.envelope.sender) for one in metrics}
    agreed = all(body.evidence_digest == attempt.evidence_digest for body in bodies.values())
    require(agreed, "other_evidence", "a member was shown something else")
    return bodies


# ---- what is signed ----


def _noisy(
    view: RoundView, attempt: Attempt, measuring: Measuring, body: ShownNoise, context: Context
) -> tuple[bytes, ...]:
    """The product times the three shares; a checker's is that of its ring."""
    made = _read(view, measuring.product.load(SharedNumbers, context).numbers)
    shares = [_read(view, share) for share in body.shares]
    require(all(len(share) == len(made) for share in shares), "bad_share", "one number for each slot set")
    noisy = with_shares(view.key, made, shares)
    if measuring.ring is not None:
        formed = product(measuring.ring, ring_view(view, attempt, Purpose.METRIC), made, context)
        require(list(formed.ciphertexts) == noisy, "bad_share", "other shares than the ring's")
    return tuple(write_ciphertexts(view.key, noisy))


def _consent(
    view: RoundView, attempt: Attempt, measuring: Measuring, noisy: SharedNumbers, context: Context
) -> MetricConsent:
    aggregator = view.state.request.aggregator
    ring = ring_context(view.identity, attempt.at, Purpose.METRIC, aggregator, attempt.checkers)
    digest = consent_digest(view.key, ring, _read(view, noisy.numbers), measuring.facts)
    return MetricConsent(signature=sign_digest(context.signing_key, digest))


def _read(view: RoundView, numbers: Sequence[bytes]) -> list[Ciphertext]:
    return read_ciphertexts(view.key, numbers, len(numbers))
