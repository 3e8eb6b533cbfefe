"""The aggregator's evaluation lane, second half: it checks the buyer's opening and collects signatures."""

from protocol.marketplace import RecordRound
from protocol.messages import RoundSignature
from protocol.records import RoundRecord
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.lanes import (
    OpeningLane,
    SigningLane,
    TrainedRound,
)
from protocol.roles.aggregator.state import EndingState, TrainingState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SubmitCall
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace
from protocol.roles.shared.accusing import (
    accuse,
    accused_by,
)
from protocol.roles.shared.signed_models import SignedModel
from protocol.signatures import recover_address
from protocol.types import RoundAttempt, mask_of, seats_of

TOLERATED_ERROR = 2
"""(1 + τ) with τ = 1: a trainer whose local model is worse than twice v₀ sits out the next round."""


def on_opening_late(
    state: TrainingState, at: RoundAttempt, context: Context
) -> Step[TrainingState | EndingState]:
    """The buyer is silent: what was recorded is settled."""
    if not isinstance(state.evaluation, OpeningLane) or state.evaluation.at != at:
        return Step.unchanged(state)
    return give_up(state, "buyer_silent", context, fault=state.opened.buyer)


# ---- the signatures ----


def on_round_signature(
    state: TrainingState, received: Received[RoundSignature], context: Context
) -> Step[TrainingState]:
    """Collect signatures; those of a majority of the drawn validators send the record to the chain."""
    lane = state.evaluation
    if not isinstance(lane, SigningLane) or lane.trained.round != received.at.round:
        if received.at.round <= state.link.round:
            return Step.unchanged(state)  # the majority was there before it
        raise EarlyInput
    seat, body = state.parties.seat_of(received.sender), received.body
    require(lane.validators >> seat & 1 == 1, "not_a_validator")
    known = [(state.opened.buyer, lane.buyer_signature), *lane.signatures]
    accusation = accused_by(state.opened, lane.record, known, received.sender, body, context)
    if accusation is not None:
        return accuse(state, accusation)
    signer = recover_address(lane.record.digest(context.market), body.signature)
    require(signer == received.sender, "bad_record_signature")
    others = (signature for signature in lane.signatures if signature[0] != signer)
    lane = replace(lane, signatures=(*others, (signer, body.signature)))
    if len(lane.signatures) < state.parties.quorum:
        return Step(replace(state, evaluation=lane))
    return _record(state, lane)


def on_signatures_late(
    state: TrainingState, at: RoundAttempt, context: Context
) -> Step[TrainingState | EndingState]:
    """Without a majority the round cannot be recorded.

    A member signs what the buyer opens to it: where that opened to us alone it is the buyer that was silent.
    """
    lane = state.evaluation
    if not isinstance(lane, SigningLane) or lane.at != at:
        return Step.unchanged(state)
    signed = state.parties.mask(tuple(owner for owner, _signature in lane.signatures))
    return give_up(state, "too_few_signatures", context, silent=lane.validators & ~signed, silent_buyer=True)


def _record(state: TrainingState, lane: SigningLane) -> Step[TrainingState]:
    """Send the signed record to the chain."""
    record = lane.record
    by_owner = dict(lane.signatures)
    signatures = tuple(by_owner.get(owner, b"") for owner in state.parties.addresses(lane.validators))
    call = RecordRound(record=record, buyer_signature=lane.buyer_signature, validator_signatures=signatures)
    fact = facts.ROUND_SIGNED.of(round=record.round, last=record.last)
    signed = after_round(state, lane.trained, record)
    return Step(signed, (SubmitCall(call=call), timers.SIGNATURES.cancel(lane.at), fact))


def after_round(state: TrainingState, trained: TrainedRound, record: RoundRecord) -> TrainingState:
    """The state once a round's record stands: after the last one nothing more is trained.

    Nobody sits out where trainers carry duals: all would start anew, and a model that is bad on others' rows
    is what duals are for.
    """
    model = SignedModel(round=record.round, model=trained.refreshed_model, digest=trained.refreshed_digest)
    return replace(
        state,
        evaluation=None,
        link=state.link.next(record),
        sitting_out=0 if state.request.schedule.is_admm else _worse_trainers(record),
        signed_models=(*state.signed_models, model),
        last_signed=record.last,
        training_lane=None if record.last else state.training_lane,
        trained=None if record.last else state.trained,
    )


def _worse_trainers(record: RoundRecord) -> int:
    """The trainers that sit out the next round, as a mask."""
    limit = TOLERATED_ERROR * record.mse_before
    errors = zip(seats_of(record.trainers), record.own, strict=True)
    return mask_of([seat for seat, error in errors if error > limit])
