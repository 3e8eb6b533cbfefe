"""The end of a checked round for a member: the buyer's opening, the record, what the chain shows of it."""

from protocol.crypto.cipher import read_ciphertexts
from protocol.errors import ProtocolViolation
from protocol.marketplace import RoundRecorded
from protocol.messages import Opening, OpeningRefused
from protocol.records import RoundRecord
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace
from protocol.roles.engine.worked_out import forget_work
from protocol.roles.owner import progress
from protocol.roles.owner.attempts import Attempt, Measuring
from protocol.roles.owner.recording import accuse_in_turn, other_record, signature_to_all
from protocol.roles.owner.rounds.evidence import link_of
from protocol.roles.owner.rounds.turns import running_attempt, with_attempt
from protocol.roles.owner.rounds.view import RoundView, view_of
from protocol.roles.owner.state import OwnerState, RunningState
from protocol.roles.rounds.record import OpenedProduct, record_of
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.roles.shared.accusing import false_opening, require_signed_openings
from protocol.roles.shared.openings import check_openings
from protocol.roles.shared.parties import require_sender
from protocol.roles.shared.signed_models import SignedModel
from protocol.roles.shared.signed_rounds import SignedRound, with_round
from protocol.signatures import recover_address, sign_digest


def on_opening(state: RunningState, received: Received[Opening], context: Context) -> Step[OwnerState]:
    """Check the buyer's opening and record against what this member works out itself, then sign.

    A second record of a round, or an opening that is false, costs the buyer its bond where there is one.
    """
    require_sender(received.sender, state.opened.buyer)
    body = received.body
    if accusation := other_record(state, body, context):
        return accuse_in_turn(state, accusation, context)
    attempt, measuring = _consented(state, received)
    view = view_of(state, attempt, context)
    attested = _attested(view, measuring)
    try:
        check_openings(view.key, attested.products, body.plaintexts, body.roots, context)
    except ProtocolViolation:
        if refuted := false_opening(view.key, state.opened, attested, body, context):
            return accuse_in_turn(state, refuted, context)
        raise
    require_signed_openings(view.key, state.opened, attested, body, context)
    require(_record(view, measuring, body) == body.record, "wrong_record")
    return _sign(state, attempt, body, context)


def on_opening_refused(
    state: RunningState, received: Received[OpeningRefused], _context: Context
) -> Step[OwnerState]:
    """The buyer finds the errors implausible: the attempt ends without numbers, and nobody is named.

    The round is measured by these members again, or not at all.
    """
    require_sender(received.sender, state.opened.buyer)
    attempt, _ = _consented(state, received)
    fact = facts.IMPLAUSIBLE.of(round=received.at.round)
    return with_attempt(state, replace(attempt, is_stopped=True, members_stay=True), fact)


def on_round_recorded(state: RunningState, event: RoundRecorded, context: Context) -> Step[OwnerState]:
    """Note the round that the chain has recorded; of one that we did not sign, keep the model if we can."""
    step = progress.on_round_recorded(state, event, context)
    after, attempt = step.state, state.attempt
    assert isinstance(after, RunningState)
    if after.caught_up != event.round:
        return step
    shown = (_model(attempt),) if attempt is not None and _is_of(attempt, event.record) else ()
    models = (*after.signed_models, *shown)
    forget_work(context, state.training)
    caught_up = replace(
        after,
        attempt=None,
        standing=event.record.validators,
        signed_models=models,
        carried=None if attempt is None else attempt.carried,
    )
    return Step(caught_up, step.effects)


# ---- the opening ----


def _consented(
    state: RunningState, received: Received[Opening | OpeningRefused]
) -> tuple[Attempt, Measuring]:
    """The attempt whose noisy product we have signed; raises EarlyInput before that."""
    attempt = running_attempt(state, received)
    measuring = attempt.measuring
    if measuring is None or measuring.noisy is None:
        raise EarlyInput
    return attempt, measuring


def _attested(view: RoundView, measuring: Measuring) -> OpenedProduct:
    assert measuring.noisy is not None
    numbers = measuring.noisy.load(SharedNumbers, view.context).numbers
    products = tuple(read_ciphertexts(view.key, numbers, len(numbers)))
    return OpenedProduct(view.state.training, view.at.round, products)


def _record(view: RoundView, measuring: Measuring, body: Opening) -> RoundRecord | None:
    return record_of(
        measuring.facts,
        body.plaintexts,
        training=view.state.training,
        at=view.at,
        request=view.state.request,
        parties=view.state.parties,
        widths=view.widths.moments,
        link=link_of(view.state),
    )


# ---- the signature ----


def _sign(state: RunningState, attempt: Attempt, body: Opening, context: Context) -> Step[OwnerState]:
    record = body.record
    digest = record.digest(context.market)
    require(recover_address(digest, body.signature) == state.opened.buyer, "bad_record_signature")
    signature = sign_digest(context.signing_key, digest)
    held = SignedRound(
        record=record, buyer_signature=body.signature, signatures=((context.address, signature),)
    )
    models = (*state.signed_models, _model(attempt)) if _is_of(attempt, record) else state.signed_models
    link = link_of(state).next(record)
    after = replace(state, link=link, attempt=None, signed_models=models, carried=attempt.carried)
    forget_work(context, state.training)
    sent = signature_to_all(state, held, attempt.members, attempt.at, context)
    return Step(with_round(after, held), (*sent, facts.VALIDATED.of(round=attempt.round)))


def _is_of(attempt: Attempt, record: RoundRecord) -> bool:
    """Whether the attempt's next model is the one to be delivered if no round follows."""
    return attempt.model_digest == record.delivered_digest


def _model(attempt: Attempt) -> SignedModel:
    return SignedModel(round=attempt.round, model=attempt.model, digest=attempt.model_digest)
