"""How a training ends well for its aggregator: the contract pays, and only then the model is delivered."""

from protocol.marketplace import Settle, Settled, Withdraw
from protocol.messages import ModelReceived, TrainedModel
from protocol.request import Request
from protocol.roles.aggregator.state import DoneState, FailedState, OpenedState, SettlingState, chain_seconds
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import Effect, SubmitCall
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.state import enter, replace
from protocol.roles.shared.deadlines import RETENTION_SECONDS, backed_off
from protocol.roles.shared.parties import require_sender
from protocol.roles.shared.signed_models import model_named
from protocol.vectors import EncryptedVector


def settle(state: OpenedState, request: Request) -> Step[SettlingState]:
    """The signed last round is recorded: have the contract pay, and only then deliver."""
    settling = enter(SettlingState, state, request=request)
    return Step(settling, (*_ask_for_settlement(settling), timers.STALLED.cancel(), timers.END.cancel()))


def on_settle_late(state: SettlingState, _about: None, _context: Context) -> Step[SettlingState]:
    """The chain does not show the settlement: ask for it again."""
    if state.deliver_until:
        return Step.unchanged(state)
    return Step.unchanged(state, *_ask_for_settlement(state))


def _ask_for_settlement(state: SettlingState) -> tuple[Effect, ...]:
    return SubmitCall(call=Settle(training=state.training)), timers.SETTLE.set(chain_seconds(state))


def on_settled(state: SettlingState, _event: Settled, context: Context) -> Step[SettlingState | FailedState]:
    """The contract has paid: only now does the buyer get the model that the last record names."""
    if model_named(state.signed_models, state.delivered) is None:
        return without_model(state)
    delivering = replace(state, deliver_until=context.now + RETENTION_SECONDS)
    sent = _deliver(delivering, context)
    return Step(sent.state, (*sent.effects, *_withdraw(state)))


def without_model(state: OpenedState) -> Step[FailedState]:
    """The contract has paid, and there is no model to deliver that the last record names."""
    return Step(enter(FailedState, state, failure=state.failure or "stopped_early"), _withdraw(state))


def _withdraw(state: OpenedState) -> tuple[Effect, ...]:
    """Take the pay; there is nothing more to wait for on the chain."""
    waits = (timers.SETTLE.cancel(), timers.STALLED.cancel(), timers.END.cancel())
    return SubmitCall(call=Withdraw(token=state.opened.terms.token)), *waits


def _deliver(state: SettlingState, context: Context) -> Step[SettlingState]:
    model = model_named(state.signed_models, state.delivered)
    assert model is not None
    body = TrainedModel(model=model.load(EncryptedVector, context))
    sent = message(context, state.opened.buyer, body, label=str(state.deliveries))
    again = timers.DELIVERY.set(backed_off(state.step_seconds, state.deliveries))
    return Step(replace(state, deliveries=state.deliveries + 1), (sent, again))


def on_delivery_late(state: SettlingState, _about: None, context: Context) -> Step[SettlingState | DoneState]:
    """The buyer does not confirm its model: send it again, ever more rarely, until it need not be kept."""
    if context.now < state.deliver_until:
        return _deliver(state, context)
    fact = facts.MODEL_NOT_CONFIRMED.of(deliveries=state.deliveries)
    return Step(enter(DoneState, state), (fact,))


def on_model_received(
    state: SettlingState, received: Received[ModelReceived], _context: Context
) -> Step[DoneState]:
    """The buyer has its model."""
    require_sender(received.sender, state.opened.buyer)
    return Step(enter(DoneState, state), (timers.DELIVERY.cancel(),))
