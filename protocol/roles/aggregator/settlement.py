"""How a training ends for its aggregator: settled and the model delivered, or given up.

Whatever the contract's state, some call ends it that anybody may make once its time has come. That call is
made again and again until the chain shows that the training is over, whoever ended it.
"""

from protocol.marketplace import (
    Cancel,
    Cancelled,
    Close,
    Closed,
    ContractCall,
    Joined,
    RolesDrawn,
    RoundRecorded,
    Settle,
    Settled,
    Withdraw,
)
from protocol.messages import TrainedModel, TrainingFailed
from protocol.roles.aggregator.state import AggregatorState, chain_seconds, ends_later, request_of
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import (
    CancelTimer,
    RecordFact,
    SendMessage,
    SetTimer,
    SubmitCall,
    effects_of,
)
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.engine.untyped import Received
from protocol.roles.shared.deadlines import RETENTION_SECONDS, backed_off, ending_seconds
from protocol.roles.shared.parties import require_sender
from protocol.vectors import EncryptedVector

_Step = Step[AggregatorState]


# ---- given up ----


def give_up(state: AggregatorState, code: str, fault: str | None, context: Context) -> _Step:
    """Tell everybody and end the training on chain by what was recorded, as soon as the contract lets us."""
    assert state.opened is not None
    stopped = replace(state, failure=code, training_lane=None, trained=None, evaluation=None, phase="ending")
    longest = ending_seconds(state.opened.terms) if state.ends_at else state.opened.terms.join_seconds + 1.0
    left = state.ends_at - context.now if state.ends_at else longest
    wait = SetTimer(name="end", seconds=min(max(0.0, left), longest))  # a clock may have been set back
    told = _told(state, code, fault, context)
    return Step(stopped, effects_of(told, wait, RecordFact(name="gave_up", data={"code": code})))


def _told(state: AggregatorState, code: str, fault: str | None, context: Context) -> list[SendMessage]:
    assert state.opened is not None
    body = TrainingFailed(code=code, fault=fault, last_round=state.recorded)
    return [message(context, one, body) for one in (state.opened.buyer, *state.parties.seats)]


def on_stop(state: AggregatorState, order: Received, context: Context) -> _Step:
    """The operator stops the training at the last recorded round."""
    require_sender(order.sender, context.address)
    return give_up(state, "stopped_by_aggregator", None, context)


def on_end(state: AggregatorState, _argument: str, _context: Context) -> _Step:
    """The call that ends the training, again and again until the chain says it is over."""
    again = SetTimer(name="end", seconds=chain_seconds(state))
    return Step(state.model_copy(), (SubmitCall(call=ending_call(state)), again))


def ending_call(state: AggregatorState) -> ContractCall:
    """What ends the training from where the chain has it: anybody may, once its time is over.

    With enough seats only the buyer may cancel; others close the joining, and cancel a round's time later.
    """
    assert state.opened is not None
    if state.recorded:
        return Settle(training=state.training)
    if not state.closed and len(state.parties.seats) >= state.opened.terms.min_owners:
        return Close(training=state.training)
    return Cancel(training=state.training)


def on_joined(state: AggregatorState, event: Joined, _context: Context) -> _Step:
    """A seat taken before the joining is over counts for what may end the training."""
    require(event.seat == len(state.parties.seats), "seat_out_of_order")
    parties = replace(state.parties, seats=(*state.parties.seats, event.owner))
    return Step(replace(state, parties=parties))


def on_closed(state: AggregatorState, _event: Closed, context: Context) -> _Step:
    """The contract's clock starts again."""
    return _later(replace(state, closed=True, **ends_later(state, context)))


def on_roles_drawn(state: AggregatorState, event: RolesDrawn, context: Context) -> _Step:
    """Somebody had the roles drawn: nothing starts, but the contract's clock does."""
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    return _later(replace(state, parties=parties, **ends_later(state, context)))


def on_round_recorded(state: AggregatorState, event: RoundRecorded, context: Context) -> _Step:
    """A record that was under way when the training was given up counts; the last one settles at once."""
    require(event.round == state.recorded + 1, "round_out_of_order")
    recorded = replace(
        state, recorded=event.round, last_recorded=event.record.last, **ends_later(state, context)
    )
    return settle(recorded) if event.record.last else _later(recorded)


def _later(state: AggregatorState) -> _Step:
    assert state.opened is not None
    return Step(state, (SetTimer(name="end", seconds=ending_seconds(state.opened.terms)),))


def stall_timer(state: AggregatorState) -> SetTimer:
    """Fires when the contract lets anybody end the training for want of progress."""
    assert state.opened is not None
    return SetTimer(name="stalled", seconds=ending_seconds(state.opened.terms))


def on_cancelled(state: AggregatorState, _event: Cancelled, context: Context) -> _Step:
    """Tell everybody that the deposit went back."""
    code = state.failure or "cancelled"
    timers = [CancelTimer(name=name) for name in ("opened", "request", "join", "draw", "stalled", "end")]
    return Step(
        replace(state, phase="failed", failure=code), effects_of(_told(state, code, None, context), timers)
    )


def on_gone(state: AggregatorState, _refusal: object, context: Context) -> _Step:
    """A reorganisation took the opening back after it was final: there is nothing left to end on chain."""
    timers = [
        CancelTimer(name=name) for name in ("join", "draw", "rows", "stalled", "end", "settle", "delivery")
    ]
    gone = replace(
        state, phase="failed", failure="not_on_chain", training_lane=None, trained=None, evaluation=None
    )
    return Step(gone, effects_of(_told(state, "not_on_chain", None, context), timers))


# ---- settled ----


def settle(state: AggregatorState) -> _Step:
    """The signed last round is recorded: have the contract pay, and only then deliver."""
    call = SubmitCall(call=Settle(training=state.training))
    timers = (CancelTimer(name="stalled"), CancelTimer(name="end"))
    again = SetTimer(name="settle", seconds=chain_seconds(state))
    return Step(replace(state, phase="settling"), (call, *timers, again))


def on_settle_late(state: AggregatorState, _argument: str, _context: Context) -> _Step:
    """The chain does not show the settlement: ask for it again."""
    if state.deliver_until:
        return Step(state)
    call = SubmitCall(call=Settle(training=state.training))
    return Step(state.model_copy(), (call, SetTimer(name="settle", seconds=chain_seconds(state))))


def on_settled(state: AggregatorState, _event: Settled, context: Context) -> _Step:
    """The contract has paid: only now does the buyer get the model of the last recorded round."""
    timers = [CancelTimer(name=name) for name in ("settle", "stalled", "end")]
    done = effects_of(SubmitCall(call=Withdraw()), timers)
    if not state.last_recorded or _recorded_model(state) is None:
        return Step(replace(state, phase="failed", failure=state.failure or "stopped_early"), done)
    delivering = replace(
        state, phase="settling", deliver_until=context.now + RETENTION_SECONDS, trained=None, evaluation=None
    )
    sent = _deliver(delivering, context)
    return Step(sent.state, (*sent.effects, *done))


def _recorded_model(state: AggregatorState) -> bytes | None:
    model = next((one for one in state.signed_models if one.round == state.recorded), None)
    return None if model is None else model.model.digest


def _deliver(state: AggregatorState, context: Context) -> _Step:
    assert state.opened is not None
    model = next(one for one in state.signed_models if one.round == state.recorded)
    body = TrainedModel(model=model.model.load(EncryptedVector, context))
    sent = message(context, state.opened.buyer, body, label=str(state.deliveries))
    wait = backed_off(request_of(state).deadlines.step_s, state.deliveries)
    again = SetTimer(name="delivery", seconds=wait)
    return Step(replace(state, deliveries=state.deliveries + 1), (sent, again))


def on_delivery_late(state: AggregatorState, _argument: str, context: Context) -> _Step:
    """The buyer does not confirm its model: send it again, ever more rarely, until it need not be kept."""
    if context.now < state.deliver_until:
        return _deliver(state, context)
    fact = RecordFact(name="model_not_confirmed", data={"deliveries": state.deliveries})
    return Step(_done(state), (fact,))


def on_model_received(state: AggregatorState, received: Received, _context: Context) -> _Step:
    """The buyer has its model."""
    assert state.opened is not None
    require_sender(received.sender, state.opened.buyer)
    return Step(_done(state), (CancelTimer(name="delivery"),))


def _done(state: AggregatorState) -> AggregatorState:
    """Forget everything encrypted."""
    return replace(
        state,
        phase="done",
        initial_model=None,
        next_model=None,
        training_lane=None,
        trained=None,
        signed_models=(),
    )
