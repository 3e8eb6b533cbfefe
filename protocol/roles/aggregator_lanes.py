"""The aggregator's two lanes together: whatever frees one of them may start the other."""

from dataclasses import replace
from typing import Any

from protocol.marketplace import (
    Cancelled,
    RoundRecorded,
    Settle,
    Settled,
    Withdraw,
)
from protocol.messages import (
    Contribution,
    RoundCompleted,
    TrainedModel,
    TrainingFailed,
)
from protocol.roles import aggregator_evaluation as evaluation
from protocol.roles import aggregator_training as training
from protocol.roles.aggregator_state import AggregatorState
from protocol.roles.inputs import (
    CallRefused,
    CancelTimer,
    Context,
    Effect,
    Step,
    StoreBlob,
    SubmitCall,
)
from protocol.roles.machine import (
    Handler,
    Received,
    changed,
    effects_of,
    message,
    require,
)
from protocol.roles.training import require_sender
from protocol.vectors import EncryptedVector

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
    return replace(context, blobs={**context.blobs, **fresh})


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
    recorded = changed(state, recorded=event.round, signed_models=kept, last_recorded=event.record.last)
    if event.record.last:
        settle = SubmitCall(call=Settle(training=state.training))
        return Step(changed(recorded, phase="settling"), effects_of(told, settle))
    return Step(recorded, tuple(told))


def on_record_refused(state: AggregatorState, refusal: CallRefused, context: Context) -> _Step:
    """Rounds are recorded in order: after one that the contract refuses for good none can follow."""
    return training.give_up(state, f"record_{refusal.code}"[:64], None, context)


def on_round_recorded_late(state: AggregatorState, event: RoundRecorded, _context: Context) -> _Step:
    """A record that was under way when the training was given up still counts."""
    require(event.round == state.recorded + 1, "round_out_of_order")
    return Step(changed(state, recorded=event.round, last_recorded=event.record.last))


def on_settled(state: AggregatorState, _event: Settled, context: Context) -> _Step:
    """The contract has paid: only now does the buyer get the model of the last recorded round."""
    assert state.opened is not None
    withdraw = SubmitCall(call=Withdraw())
    model = next((one for one in state.signed_models if one.round == state.recorded), None)
    if not state.last_recorded or model is None:
        return Step(changed(state, phase="failed", failure=state.failure or "stopped_early"), (withdraw,))
    body = TrainedModel(model=model.model.load(EncryptedVector, context))
    sent = message(context, state.opened.buyer, body)
    return Step(changed(state, phase="settling"), (sent, withdraw))


def on_model_received(state: AggregatorState, received: Received, _context: Context) -> _Step:
    """The buyer has its model: forget everything encrypted."""
    assert state.opened is not None
    require_sender(received.sender, state.opened.buyer)
    return Step(changed(state, phase="done", next_model=None, trained=None, signed_models=()))


def on_cancelled(state: AggregatorState, _event: Cancelled, context: Context) -> _Step:
    """Tell everybody that the deposit went back."""
    code = state.failure or "cancelled"
    assert state.opened is not None
    told = [
        message(context, one, TrainingFailed(code=code, fault=None, last_round=state.recorded))
        for one in (state.opened.buyer, *state.parties.seats)
    ]
    return Step(changed(state, phase="failed", failure=code), effects_of(told, CancelTimer(name="join")))


def on_stop(state: AggregatorState, order: Received, context: Context) -> _Step:
    """The operator stops the training at the last recorded round."""
    require_sender(order.sender, context.address)
    return training.give_up(state, "stopped_by_aggregator", None, context)
