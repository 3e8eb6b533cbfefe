"""A member of an attempt: it looks through the evidence, proves its metric, and hears what checkers say."""

from protocol.crypto.cipher import write_ciphertexts
from protocol.learning.judgement.complaints import Ground
from protocol.messages.rounds import CheckVerdict, ProvenMetric, RoundEvidence
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import RecordFact, StoreBlob, effects_of
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace, store
from protocol.roles.owner.attempts import Attempt
from protocol.roles.owner.committing import OwnerSecrets
from protocol.roles.owner.rounds import next_model, projection
from protocol.roles.owner.rounds.evidence import (
    attempt_of,
    ground_of,
    link_of,
    require_evidence,
    require_members,
    require_place,
)
from protocol.roles.owner.rounds.turns import current_attempt, not_in_order, running_attempt, with_attempt
from protocol.roles.owner.rounds.versions import another_version
from protocol.roles.owner.rounds.view import RoundView, keep_view
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.complaint import check_failed
from protocol.roles.rounds.labels import Label
from protocol.roles.shared.parties import require_sender
from protocol.types import Address


def on_round_evidence(
    state: RunningState, received: Received[RoundEvidence], context: Context
) -> Step[OwnerState]:
    """Look through what the round's checks start from; send the proven metric, and if we check, ask.

    An attempt that takes another's place makes that one's messages late. Of what is not in order a checker
    says so; other members stay silent, for nobody acts on their word. Both note who it is: the aggregator has
    signed what shows so.
    """
    require_sender(received.sender, state.request.aggregator)
    view = RoundView(state, received.at, received.body, context)
    _ = view.widths  # before the start there is no evidence: EarlyInput
    require_place(state, received.at)
    members = require_members(state, received, context)
    require_evidence(view, members)
    attempt, blobs = attempt_of(view, members)
    keep_view(view, attempt)
    begun = replace(state, link=link_of(state), standing=members)
    ground = ground_of(view, is_checker=context.address in attempt.checkers)
    attempt = replace(attempt, other_model=ground is Ground.SUBTRACTION)
    if ground is None:
        return _measure(begun, attempt, view, blobs, context)
    named = _named(attempt, state.request.aggregator, ground)
    if context.address in attempt.checkers:
        return not_in_order(begun, attempt, ground, context, *blobs, named)
    return with_attempt(begun, replace(attempt, is_stopped=True), *blobs, named)


def _named(attempt: Attempt, aggregator: Address, ground: Ground) -> RecordFact:
    """That the aggregator has signed evidence that is not in order.

    Of an update whose proof fails it is the aggregator's fault that it passed it on.
    """
    match ground:
        case Ground.START:
            code = "other_start"
        case Ground.PROOF:
            code = "unproven_update"
        case Ground.REQUEST:
            code = "other_request"
        case _:
            code = "wrong_subtraction"
    return facts.NAMED.of(accused=aggregator, round=attempt.round, attempt=attempt.attempt, code=code)


def _measure(
    state: RunningState, attempt: Attempt, view: RoundView, blobs: tuple[StoreBlob, ...], context: Context
) -> Step[OwnerState]:
    """Send X_v with its proof; a checker asks its question and commits to its shares as well."""
    metric = _proven_metric(state, attempt, view, context)
    kept, blob = store(metric)
    attempt = replace(attempt, metric=kept)
    sent = message(context, state.request.aggregator, metric, attempt.at)
    if context.address not in attempt.checkers:
        return with_attempt(state, attempt, *blobs, blob, sent)
    asked, asking = projection.ask(view, context)
    opening, committing = next_model.begin(view, attempt, context)
    checking = replace(attempt, projecting=asked, opening=opening)
    return with_attempt(state, checking, *effects_of(blobs, blob, sent, asking, committing))


def _proven_metric(state: RunningState, attempt: Attempt, view: RoundView, context: Context) -> ProvenMetric:
    """Once for an attempt: its exponents and the proof's masks serve no second one."""
    proofs, gram = view.metric_proofs, state.secrets.load(OwnerSecrets, context).gram.vector()
    commitments = view.owners.of(context.address)
    metric, exponents = proofs.metric(gram, commitments.base, context.randomness(Label.METRIC))
    masks = proofs.draw_masks(context.randomness(Label.METRIC_PROOF))
    proof = proofs.prove(commitments, gram, metric, exponents, masks)
    return ProvenMetric(
        evidence_digest=attempt.evidence_digest,
        values=tuple(write_ciphertexts(view.key, metric)),
        proof=tuple(proof.write(view.key, proofs.bounds)),
    )


def on_check_verdict(
    state: RunningState, received: Received[CheckVerdict], context: Context
) -> Step[OwnerState]:
    """A checker's word, which counts where the aggregator shows two that agree, and nowhere else.

    Without both, nobody signs anything. If it stopped an attempt here, a checker could tell the aggregator
    one thing and the members another: those would be taken for silent, and left out. One against the attempt
    is noted for people, and what it shows of others' versions of the round is looked at, also where we have
    stopped ourselves: both checkers may, each for the other. Raises ProtocolViolation: "not_a_checker",
    "malformed_verdict".
    """
    other = received.body.ground == "shown"
    attempt = current_attempt(state, received) if other else running_attempt(state, received)
    require(received.sender in attempt.checkers, "not_a_checker")
    require(received.body.in_order == (received.body.ground is None), "malformed_verdict")
    if received.body.in_order:
        return Step.unchanged(state)
    named = another_version(state, attempt, received, context) if other else None
    failed = check_failed(received.sender, received.at, received.body)
    return Step(state, effects_of(failed, named))
