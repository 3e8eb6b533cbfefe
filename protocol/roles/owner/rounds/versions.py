"""Were all shown the same? What others commit to tells, and two signed versions name their sender.

An aggregator that shows checkers different models, or metrics, has each of them commit to something else in
the ring: they would take each other for liars. So who hears of another statement than its own shows everybody
the aggregator's signed commitment to what it was shown itself, and nobody accuses the other checker.
"""

from protocol.bodies import body_of
from protocol.crypto.cipher import read_ciphertexts
from protocol.crypto.ring.context import Purpose
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.judgement.complaints import Ground
from protocol.messages.rounds import CheckVerdict, RingCommitted
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import RecordFact
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.owner.attempts import Attempt
from protocol.roles.owner.rounds.turns import not_in_order
from protocol.roles.owner.rounds.view import view_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.forms import metric_statement
from protocol.roles.rounds.ring_state import RingState, SharedNumbers
from protocol.types import RoundAttempt


def contradicted(
    state: RunningState,
    attempt: Attempt,
    ring: RingState,
    received: Received[RingCommitted],
    context: Context,
) -> Step[OwnerState]:
    """End the attempt over a commitment to something else than what we were shown.

    Of the aggregator it contradicts what it has shown us. Of the other checker either that one lies, or the
    aggregator has shown it something else. Raises EarlyInput until that one has committed as well.
    """
    if received.sender == state.request.aggregator:
        named = _two_versions(state, attempt)
        return not_in_order(state, attempt, Ground.SHOWN, context, named, evidence=(received.signed,))
    if ring.told is None:
        raise EarlyInput
    evidence = (received.signed, ring.told.load(SignedMessage, context))
    return not_in_order(state, attempt, Ground.SHOWN, context, evidence=evidence)


def another_version(
    state: RunningState, attempt: Attempt, received: Received[CheckVerdict], context: Context
) -> RecordFact | None:
    """That the aggregator has signed something else for a checker than for us, if the verdict shows so."""
    for signed in received.body.evidence:
        body = _committed_by(signed, state.request.aggregator, received, state.training, context)
        own = None if body is None else _statement(state, attempt, Purpose(body.purpose), context)
        if body is not None and own is not None and body.statement != own:
            return _two_versions(state, attempt)
    return None


def _two_versions(state: RunningState, attempt: Attempt) -> RecordFact:
    aggregator, at = state.request.aggregator, attempt.at
    return facts.NAMED.of(accused=aggregator, round=at.round, attempt=at.attempt, code="two_versions")


def _committed_by(
    signed: SignedMessage, maker: str, received: Received[CheckVerdict], training: int, context: Context
) -> RingCommitted | None:
    """What a maker has committed to towards the verdict's sender, in this attempt; None for anything else."""
    envelope = signed.envelope
    place = (envelope.type, envelope.sender, envelope.recipient, envelope.training)
    if place != ("ring_committed", maker, received.sender, training):
        return None
    if RoundAttempt(envelope.round, envelope.attempt) != received.at:
        return None
    try:
        signed.verify(context.market)
        return body_of(signed, RingCommitted)
    except ProtocolViolation:
        return None


def _statement(state: RunningState, attempt: Attempt, purpose: Purpose, context: Context) -> bytes | None:
    """What a ring of this purpose is about by what we were shown ourselves; None before we were."""
    view, measuring = view_of(state, attempt, context), attempt.measuring
    if purpose is Purpose.NEXT_MODEL:
        return view.next_model.statement()
    if purpose is not Purpose.METRIC or measuring is None:
        return None
    numbers = measuring.product.load(SharedNumbers, context).numbers
    return metric_statement(view.key, read_ciphertexts(view.key, numbers, len(numbers)))
