"""What the aggregator does once the chain shows a round, or does not."""

from protocol.marketplace import RecordRound, RoundRecorded
from protocol.messages import Contribution, RoundCompleted
from protocol.roles.aggregator import signing
from protocol.roles.aggregator.ending import give_up, stall_timer
from protocol.roles.aggregator.settlement import settle
from protocol.roles.aggregator.state import (
    EndingState,
    SettlingState,
    TrainingState,
    contract_ends_at,
)
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import CancelTimer
from protocol.roles.engine.inputs import Refused
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.engine.worked_out import forget_work
from protocol.roles.shared.signed_models import still_needed

_WAITS = timers.CHECKS, timers.CONSENTS, timers.OPENING, timers.SIGNATURES


def on_round_recorded(
    state: TrainingState, event: RoundRecorded, context: Context
) -> Step[TrainingState | SettlingState]:
    """Tell everybody the round's public numbers; settle after the last."""
    require(event.round == state.recorded + 1, "round_out_of_order")
    state, waits = _caught_up(state, event)
    body = replace(_round_completed(state, event), head=context.kept_head)
    sent = [message(context, recipient, body, (event.round, 0)) for recipient in state.everybody()]
    recorded = replace(
        state,
        recorded=event.round,
        delivered=event.record.delivered_digest,
        signed_models=still_needed(state.signed_models, event),
        ends_at=contract_ends_at(state.opened, context.now),
    )
    if recorded.evaluation is None:
        forget_work(context, state.training)
    if not event.record.last:
        return Step(recorded, (*waits, *sent, stall_timer(recorded, context)))
    settling = settle(recorded, recorded.request)
    return Step(settling.state, (*waits, *sent, *settling.effects))


def _caught_up(state: TrainingState, event: RoundRecorded) -> tuple[TrainingState, tuple[CancelTimer, ...]]:
    """A round that we still have in evaluation, recorded by others: the rest of it need not come."""
    lane = state.evaluation
    if lane is None or lane.trained.round != event.round:
        return state, ()
    if lane.trained.refreshed_digest != event.record.model_digest:
        return state, ()
    waits = tuple(timer.cancel(lane.at) for timer in _WAITS)
    return signing.after_round(state, lane.trained, event.record), waits


def _round_completed(state: TrainingState, event: RoundRecorded) -> RoundCompleted:
    record = event.record
    trainers = state.parties.addresses(record.trainers)
    shares = zip(trainers, event.shapley, event.pay_weights, strict=True)
    return RoundCompleted(
        v0=record.mse_before,
        mse_after=event.mse_after,
        own=record.own,
        cross=record.cross,
        contributions=tuple(
            Contribution(trainer=trainer, shapley=shapley, pay_weight=weight)
            for trainer, shapley, weight in shares
        ),
        last=record.last,
    )


def on_record_refused(
    state: TrainingState, refusal: Refused[RecordRound], context: Context
) -> Step[EndingState]:
    """Rounds are recorded in order: after one that the contract refuses for good none can follow."""
    return give_up(state, f"record_{refusal.code}"[:64], context)


def on_stalled(state: TrainingState, _about: None, context: Context) -> Step[EndingState]:
    """No round was recorded for as long as the contract waits: anybody may end the training now."""
    return give_up(state, "round_not_recorded", context)
