"""All members sign the product under noise; the buyer opens it, and the record follows."""

from protocol.crypto.cipher import read_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.errors import ProtocolViolation
from protocol.messages import Opening
from protocol.messages.rounds import MetricConsent, MetricOpeningRequest
from protocol.messages.rounds.values import AttemptFacts
from protocol.records import RoundRecord
from protocol.roles.aggregator.attempts import AgreedLane, AgreeingLane
from protocol.roles.aggregator.lanes import SigningLane, attempt_out_of_order
from protocol.roles.aggregator.rounds.checking import require_current, silent_makers
from protocol.roles.aggregator.rounds.evidence import AttemptStep, next_attempt
from protocol.roles.aggregator.rounds.view import AttemptView, TrainingView
from protocol.roles.aggregator.state import TrainingState
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import BlobRef, replace
from protocol.roles.rounds.attempt import consent_digest
from protocol.roles.rounds.record import OpenedProduct, record_of, require_facts
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.roles.shared.accusing import accuse, false_opening, require_signed_openings, second_record
from protocol.roles.shared.openings import check_openings
from protocol.roles.shared.parties import require_sender
from protocol.signatures import recover_address
from protocol.types import RoundAttempt

# ---- the members' signatures ----


def on_metric_consent(
    state: TrainingState, received: Received[MetricConsent], context: Context
) -> Step[TrainingState]:
    """Keep a member's signature; with all of them the buyer is asked to open the product.

    Raises EarlyInput before we have formed it, ProtocolViolation: "not_a_validator", "bad_signature".
    """
    lane = require_current(state, received)
    if not isinstance(lane, AgreeingLane):
        raise StaleInput
    if lane.product is None:
        raise EarlyInput
    member, signature = received.sender, received.body.signature
    require(lane.validators >> state.parties.seat_of(member) & 1 == 1, "not_a_validator")
    if member in dict(lane.consents):
        return Step.unchanged(state)
    facts = facts_of(state, lane, context)
    digest = _agreed_digest(state, lane, lane.product, facts, context)
    require(recover_address(digest, signature) == member, "bad_signature")
    lane = replace(lane, consents=(*lane.consents, (member, signature)))
    if len(lane.consents) < lane.validators.bit_count():
        return Step(replace(state, evaluation=lane))
    return _ask_for_opening(state, lane, facts, context)


def facts_of(state: TrainingState, lane: AgreeingLane, context: Context) -> AttemptFacts:
    """What the members sign besides the product."""
    view = AttemptView(state, context, lane)
    return AttemptFacts(
        trainers=lane.trained.trainers,
        members=lane.validators,
        start=view.request_body.start,
        digests=lane.digests,
        evidence=lane.evidence,
        metrics=tuple(signed.digest() for signed in view.signed(lane.metrics)),
    )


def _agreed_digest(
    state: TrainingState, lane: AgreeingLane, kept: BlobRef, facts: AttemptFacts, context: Context
) -> bytes:
    numbers = kept.load(SharedNumbers, context).numbers
    product = read_ciphertexts(state.key, numbers, len(numbers))
    makers = AttemptView(state, context, lane).ring(Purpose.METRIC).context
    return consent_digest(state.key, makers, product, facts)


def _ask_for_opening(
    state: TrainingState, lane: AgreeingLane, facts: AttemptFacts, context: Context
) -> Step[TrainingState]:
    """The buyer gets the product alone: never one member's metric, never what is in the evidence."""
    signed, kept = dict(lane.consents), lane.product
    assert kept is not None
    body = MetricOpeningRequest(
        product=kept.load(SharedNumbers, context).numbers,
        facts=facts,
        signatures=tuple(signed[member] for member in state.parties.addresses(lane.validators)),
    )
    opening = AgreedLane(
        trained=lane.trained.as_trained(),
        attempt=lane.attempt,
        validators=lane.validators,
        metrics=lane.metrics,
        facts=facts,
        product=kept,
        answered=lane.without_masks(),
    )
    waits = (timers.CONSENTS.cancel(lane.at), timers.OPENING.set(state.step_seconds, lane.at))
    sent = message(context, state.opened.buyer, body, lane.at)
    return Step(replace(state, evaluation=opening), (sent, *waits))


def on_consents_late(state: TrainingState, at: RoundAttempt, context: Context) -> AttemptStep:
    """A next attempt without those who were silent, as far as that can be known.

    A member signs what it is shown; a checker signs only with the ring's shares and a seed, which the other
    one can keep from it alone: then nobody is left out, and others check next.
    """
    lane = state.evaluation
    if not isinstance(lane, AgreeingLane) or lane.at != at:
        return Step.unchanged(state)
    view = AttemptView(state, context, lane)
    if lane.product is None:
        makers = state.parties.mask(silent_makers(view, lane))
        return next_attempt(state, lane, makers, "ring_late", context)
    excused = state.parties.mask((*dict(lane.consents), *view.checkers))
    return next_attempt(state, lane, lane.validators & ~excused, "consent_late", context)


# ---- the opening ----


def on_opening(state: TrainingState, received: Received[Opening], context: Context) -> Step[TrainingState]:
    """Check the buyer's opening and record as the members do; then wait for their signatures."""
    require_sender(received.sender, state.opened.buyer)
    held, body = state.evaluation, received.body
    if isinstance(held, SigningLane):
        shown, known = (body.record, body.signature), (held.record, held.buyer_signature)
        if accusation := second_record(state.opened, known, shown, context):
            return accuse(state, accusation)
    if 1 <= received.at.round <= state.link.round:
        return Step.unchanged(state)  # others have had the round recorded
    if not isinstance(held, AgreedLane) or held.at != received.at:
        raise attempt_out_of_order(received.at)
    attested = _attested(state, held, context)
    try:
        record = _opened_record(state, held, attested, body, context)
    except ProtocolViolation:
        if refuted := false_opening(state.key, state.opened, attested, body, context):
            return accuse(state, refuted)
        raise
    signer = recover_address(record.digest(context.market), body.signature)
    require(signer == state.opened.buyer, "bad_record_signature")
    signing = SigningLane(
        trained=held.trained,
        attempt=held.attempt,
        validators=held.validators,
        metrics=held.metrics,
        record=record,
        buyer_signature=body.signature,
    )
    waits = (timers.OPENING.cancel(held.at), timers.SIGNATURES.set(state.step_seconds, held.at))
    return Step(replace(state, evaluation=signing), waits)


def _attested(state: TrainingState, lane: AgreedLane, context: Context) -> OpenedProduct:
    numbers = lane.product.load(SharedNumbers, context).numbers
    product = tuple(read_ciphertexts(state.key, numbers, len(numbers)))
    return OpenedProduct(state.training, lane.at.round, product)


def _opened_record(
    state: TrainingState, lane: AgreedLane, attested: OpenedProduct, body: Opening, context: Context
) -> RoundRecord:
    """The record that follows from the opening.

    Raises ProtocolViolation("bad_opening", "wrong_record") unless the buyer's is the same.
    """
    check_openings(state.key, attested.products, body.plaintexts, body.roots, context)
    require_signed_openings(state.key, state.opened, attested, body, context)
    require_facts(lane.facts, state.parties, state.link, lane.at)
    record = record_of(
        lane.facts,
        list(body.plaintexts),
        training=state.training,
        at=lane.at,
        request=state.request,
        parties=state.parties,
        widths=TrainingView(state, context).widths.moments,
        link=state.link,
    )
    if record is None or record != body.record:
        raise ProtocolViolation("wrong_record")
    return record
