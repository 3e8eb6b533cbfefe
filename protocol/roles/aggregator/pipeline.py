"""The aggregator's two lanes together: whatever frees one of them may start the other."""

import dataclasses
from typing import Any

from protocol.marketplace import (
    RoundRecorded,
)
from protocol.messages import (
    Contribution,
    RoundCompleted,
)
from protocol.roles.aggregator import evaluation, training
from protocol.roles.aggregator.settlement import give_up, settle, stall_timer
from protocol.roles.aggregator.state import AggregatorState, ends_later
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import Effect, StoreBlob
from protocol.roles.engine.inputs import CallRefused
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.engine.untyped import Handler

_Step = Step[AggregatorState]


def advance(state: AggregatorState, context: Context) -> _Step:
    """Start whatever can start: measuring the round that waits, training at most one round ahead of it."""
    if state.phase != "training":
        return Step(state)
    measured = evaluation.start_next(state, context)
    trained = training.start_next(measured.state, context)
    return Step(trained.state, measured.effects + trained.effects)


def advancing(handler: Handler) -> Handler:
    """A lane's handler, after which the other lane may go on as well."""

    def handle(state: AggregatorState, content: Any, context: Context) -> _Step:
        step = handler(state, content, context)
        more = advance(step.state, _seeing(context, step.effects))
        return Step(more.state, step.effects + more.effects)

    return handle


def _seeing(context: Context, effects: tuple[Effect, ...]) -> Context:
    fresh = {effect.digest: effect.content for effect in effects if isinstance(effect, StoreBlob)}
    return dataclasses.replace(context, blobs={**context.blobs, **fresh})


def on_round_recorded(state: AggregatorState, event: RoundRecorded, context: Context) -> _Step:
    """Tell everybody the round's public numbers; settle after the last."""
    require(event.round == state.recorded + 1, "round_out_of_order")
    parties = state.parties
    trainers = parties.addresses(event.record.trainers)
    body = RoundCompleted(
        v0=event.record.mse_before,
        mse_after=event.mse_after,
        own=event.record.own,
        cross=event.record.cross,
        contributions=tuple(
            Contribution(trainer=trainer, shapley=shapley, pay_weight=weight)
            for trainer, shapley, weight in zip(trainers, event.shapley, event.pay_weights, strict=True)
        ),
        last=event.record.last,
    )
    assert state.opened is not None
    told = [message(context, one, body, (event.round, 0)) for one in (state.opened.buyer, *parties.seats)]
    kept = tuple(model for model in state.signed_models if model.round >= event.round)
    recorded = replace(
        state,
        recorded=event.round,
        signed_models=kept,
        last_recorded=event.record.last,
        **ends_later(state, context),
    )
    if event.record.last:
        settling = settle(recorded)
        return Step(settling.state, (*told, *settling.effects))
    return Step(recorded, (*told, stall_timer(recorded)))


def on_record_refused(state: AggregatorState, refusal: CallRefused, context: Context) -> _Step:
    """Rounds are recorded in order: after one that the contract refuses for good none can follow."""
    return give_up(state, f"record_{refusal.code}"[:64], None, context)


def on_stalled(state: AggregatorState, _argument: str, context: Context) -> _Step:
    """No round was recorded for as long as the contract waits: anybody may end the training now."""
    return give_up(state, "round_not_recorded", None, context)
