"""How a training ends for its buyer: settled and paid, and then the model; or stopped, cancelled, stalled."""

from collections.abc import Callable

from protocol.bought_model import BoughtModel
from protocol.codec import pack
from protocol.crypto.fixed_point import decode
from protocol.learning.scales import MODEL_SCALE
from protocol.marketplace import (
    Cancel,
    Cancelled,
    Settle,
    Settled,
    Withdraw,
)
from protocol.messages import (
    ModelReceived,
    ModelRequest,
    TrainedModel,
    TrainingFailed,
)
from protocol.roles.buyer.state import (
    BuyerState,
    BuyerStep,
    cancel,
    failed,
    private_key_of,
)
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import CancelTimer, KeepResult, RecordFact, SetTimer, SubmitCall
from protocol.roles.engine.machine import (
    Received,
    StaleInput,
    effects_of,
    message,
    replace,
    require,
)
from protocol.roles.shared.deadlines import RETENTION_SECONDS, backed_off
from protocol.roles.shared.parties import require_sender


def on_settled(state: BuyerState, event: Settled, context: Context) -> BuyerStep:
    """The deposit is divided; the model follows if the last round was recorded."""
    data = {
        "paid_wei": str(event.paid),
        "refund_wei": str(event.refund),
        "improvement": str(event.improvement),
    }
    settled = (
        RecordFact(name="settled", data=data),
        SubmitCall(call=Withdraw()),
        CancelTimer(name="stalled"),
    )
    if not state.last_recorded:
        # The model is delivered for the round that the buyer signed as the last one, and for no other.
        return Step(failed(state, "stopped_early"), settled)
    wait = SetTimer(name="model", seconds=state.request.deadlines.step_s)
    until = context.now + RETENTION_SECONDS
    return Step(replace(state, phase="collecting", model_until=until), (*settled, wait))


def on_stalled(state: BuyerState, _argument: str, _context: Context) -> BuyerStep:
    """Nobody made progress for longer than the contract waits: anyone may end it now, so the buyer does."""
    training = state.training
    assert training is not None
    call = Settle(training=training) if state.recorded else Cancel(training=training)
    again = SetTimer(name="stalled", seconds=float(state.request.deadlines.chain_s))
    return Step(state.model_copy(), (SubmitCall(call=call), again))


def on_trained_model(state: BuyerState, received: Received, context: Context) -> BuyerStep:
    """Decrypt the model, if it is the recorded one."""
    allowed = (state.request.aggregator, *state.parties.addresses(state.parties.validators))
    require(received.sender in allowed, "wrong_sender")
    body: TrainedModel = received.body
    require(body.model.digest() == state.recorded_model, "wrong_model")
    private = private_key_of(context)
    ciphertexts = body.model.read(private.public_key, scale=MODEL_SCALE, count=state.request.parameters)
    weights = decode([private.public_key.signed(private.decrypt(c)) for c in ciphertexts], MODEL_SCALE)
    result = KeepResult(name="model", content=pack(BoughtModel.of(state.request, list(map(float, weights)))))
    assert state.recorded_model is not None
    receipt = message(context, state.request.aggregator, ModelReceived(digest=state.recorded_model))
    fact = RecordFact(name="finished", data={"rounds": state.recorded})
    return Step(replace(state, phase="finished"), (result, receipt, CancelTimer(name="model"), fact))


def on_model_late(state: BuyerState, _argument: str, context: Context) -> BuyerStep:
    """The aggregator is silent: the validators hold the model since they measured it, and are asked in turn.

    After each turn of all of them the wait doubles, until nobody needs to hold the model any more.
    """
    if 0 < state.model_until <= context.now:
        fact = RecordFact(name="model_not_delivered", data={"requests": state.model_requests})
        return Step(failed(state, "model_not_delivered"), (fact,))
    validators = state.parties.addresses(state.parties.validators)
    turns, place = divmod(state.model_requests, len(validators))
    request = message(context, validators[place], ModelRequest(), label=str(state.model_requests))
    again = SetTimer(name="model", seconds=backed_off(state.request.deadlines.step_s, turns))
    return Step(replace(state, model_requests=state.model_requests + 1), (request, again))


def on_model_again(state: BuyerState, received: Received, context: Context) -> BuyerStep:
    """The aggregator has not heard that the model arrived: say so once more.

    Raises StaleInput for a validator that was asked as well.
    """
    if received.sender in state.parties.addresses(state.parties.validators):
        raise StaleInput
    require_sender(received.sender, state.request.aggregator)
    assert state.recorded_model is not None
    require(received.body.model.digest() == state.recorded_model, "wrong_model")
    label = received.envelope.message_id.hex()
    receipt = message(
        context, state.request.aggregator, ModelReceived(digest=state.recorded_model), label=label
    )
    return Step(state.model_copy(), (receipt,))


def on_stop(state: BuyerState, order: Received, context: Context) -> BuyerStep:
    """The operator stops the training.

    Before the start the deposit comes back; later the buyer falls silent, and what was recorded is settled.
    """
    require_sender(order.sender, context.address)
    training = state.training
    require(training is not None, "not_opened_yet")
    if state.phase in ("opened", "initiated"):
        return cancel(replace(state, stopped=True), "stopped_by_buyer")
    assert training is not None
    fact = RecordFact(name="stop_requested", data={"last_round": state.recorded})
    return Step(replace(state, stopped=True, failure="stopped_by_buyer"), (fact,))


def on_gone(state: BuyerState, _refusal: object, _context: Context) -> BuyerStep:
    """A reorganisation took the opening back after it was final, and the deposit with it."""
    timers = [CancelTimer(name=name) for name in ("answer", "join", "stalled")]
    return Step(failed(state, "not_on_chain"), effects_of(RecordFact(name="not_on_chain", data={}), timers))


def on_cancelled(state: BuyerState, event: Cancelled, _context: Context) -> BuyerStep:
    """The contract gave the deposit back."""
    fact = RecordFact(name="cancelled", data={"refund_wei": str(event.refund)})
    timers = [CancelTimer(name=name) for name in ("answer", "join", "stalled")]
    effects = effects_of(fact, SubmitCall(call=Withdraw()), timers)
    few = not state.parties.trainers and len(state.parties.seats) < state.request.owners.minimum
    return Step(failed(state, "not_enough_owners" if few else "cancelled"), effects)


def on_failed_notice(state: BuyerState, notice: Received, _context: Context) -> BuyerStep:
    """The aggregator says why the training ends; what ends it is the chain's settlement or cancellation."""
    require_sender(notice.sender, state.request.aggregator)
    body: TrainingFailed = notice.body
    fact = RecordFact(name="aggregator_gave_up", data={"code": body.code, "last_round": body.last_round})
    return Step(replace(state, failure=state.failure or body.code), (fact,))


def on_failed_before_start(state: BuyerState, notice: Received, context: Context) -> BuyerStep:
    """The aggregator will not start the training: take the deposit back."""
    told = on_failed_notice(state, notice, context)
    assert told.state.failure is not None
    cancelling = cancel(told.state, told.state.failure)
    return Step(cancelling.state, (*told.effects, *cancelling.effects))


def on_open_refused(state: BuyerState, refusal: object, _context: Context) -> BuyerStep:
    """The contract refused to open the training."""
    code = getattr(refusal, "code", "refused")
    return Step(failed(state, f"open_{code}"), (RecordFact(name="open_refused", data={"code": code}),))


def noted(name: str) -> Callable[[BuyerState, Received, Context], BuyerStep]:
    """A handler that only keeps what the aggregator tells as a fact."""

    def note(state: BuyerState, received: Received, _context: Context) -> BuyerStep:
        require_sender(received.sender, state.request.aggregator)
        data = {"type": received.envelope.type, "round": received.envelope.round}
        return Step(state.model_copy(), (RecordFact(name=name, data=data),))

    return note
