"""How a training ends for its buyer: settled and paid, and then the model; or stopped, cancelled, stalled."""

from typing import TypeVar

from protocol.codec import pack
from protocol.crypto.fixed_point import decode
from protocol.learning.kinds.registry import kind_of
from protocol.learning.scales import MODEL_SCALE
from protocol.marketplace import Cancel, Cancelled, Settle, Settled, Withdraw
from protocol.messages import (
    ModelReceived,
    ModelRefused,
    ModelRequest,
    StopOrder,
    TrainedModel,
    TrainingFailed,
)
from protocol.roles.buyer.inference import awaited_sums, published_errors
from protocol.roles.buyer.state import (
    BuyerStep,
    CollectingState,
    FinishedState,
    InitiatedState,
    OnChainState,
    RunningState,
    fail,
    private_key_of,
    terms_of,
)
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import CancelTimer, KeepResult, SubmitCall
from protocol.roles.engine.inputs import CallRefused, Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import enter, replace
from protocol.roles.shared.deadlines import RETENTION_SECONDS, backed_off
from protocol.roles.shared.drawing import has_too_few_revealed
from protocol.roles.shared.notices import STOPPED_BY_AGGREGATOR, Notice, fact_of
from protocol.roles.shared.parties import model_holders, require_sender

C = TypeVar("C", bound=OnChainState)


def on_settled(state: RunningState, event: Settled, context: Context) -> BuyerStep:
    """The deposit is divided; the model follows if the last round was recorded."""
    fact = facts.SETTLED.of(
        paid_wei=str(event.paid), refund_wei=str(event.refund), improvement=str(event.improvement)
    )
    settled = (
        fact,
        SubmitCall(call=Withdraw(token=state.request.payment.token)),
        timers.STALLED.cancel(),
        timers.RECORD.cancel(),
    )
    if not _is_owed_a_model(state):
        return Step(fail(state, "stopped_early"), settled)
    collecting = enter(CollectingState, state, model_until=context.now + RETENTION_SECONDS)
    return Step(collecting, (*settled, timers.MODEL.set(state.request.deadlines.step_s)))


def _is_owed_a_model(state: RunningState) -> bool:
    """Whether the last record has a model for the buyer; validators hand no other out (see `owner.serving`).

    That of the round which the buyer signed as the last, or an earlier one's where the aggregator ended it.
    """
    if state.last_recorded:
        return True
    return not state.stopped and state.failure in (None, STOPPED_BY_AGGREGATOR)


def on_stalled(state: RunningState, _about: None, _context: Context) -> BuyerStep:
    """Nobody made progress for longer than the contract waits: anyone may end it now, so the buyer does."""
    call = Settle(training=state.training) if state.recorded else Cancel(training=state.training)
    again = timers.STALLED.set(float(state.request.deadlines.chain_s))
    return Step.unchanged(state, SubmitCall(call=call), again)


def on_trained_model(state: CollectingState, received: Received[TrainedModel], context: Context) -> BuyerStep:
    """Decrypt the model, if it is the recorded one."""
    allowed = (state.request.aggregator, *model_holders(state.request, state.parties))
    require(received.sender in allowed, "wrong_sender")
    body = received.body
    require(body.model.digest() == state.recorded_model, "wrong_model")
    private = private_key_of(context)
    ciphertexts = body.model.read(private.public_key, scale=MODEL_SCALE, count=state.request.parameters)
    plaintexts = private.decrypt_all(ciphertexts)
    weights = decode([private.public_key.signed(one) for one in plaintexts], MODEL_SCALE)
    bought = kind_of(state.request).bought(state.request, list(map(float, weights)), published_errors(state))
    result = KeepResult(name="model", content=pack(bought))
    receipt = message(context, state.request.aggregator, ModelReceived(digest=state.recorded_model))
    fact = facts.FINISHED.of(rounds=state.recorded)
    awaited, waiting = awaited_sums(state, context)
    effects = (result, receipt, timers.MODEL.cancel(), fact, *waiting)
    return Step(enter(FinishedState, state, awaited=awaited), effects)


def on_model_late(state: CollectingState, _about: None, context: Context) -> BuyerStep:
    """The aggregator is silent: the validators hold the model since they measured it, and are asked in turn.

    After each turn of all of them the wait doubles, until nobody needs to hold the model any more.
    """
    if 0 < state.model_until <= context.now:
        fact = facts.MODEL_NOT_DELIVERED.of(requests=state.model_requests)
        return Step(fail(state, "model_not_delivered"), (fact,))
    return _ask_next(state, context)


def on_model_refused(state: CollectingState, received: Received[ModelRefused], context: Context) -> BuyerStep:
    """The validator that was asked last does not have the model: ask the next one of this turn at once.

    After the last of a turn the timer that is set goes on. Raises StaleInput for one that was asked before.
    """
    validators = model_holders(state.request, state.parties)
    require(received.sender in validators, "wrong_sender")
    asked = state.model_requests % len(validators)
    if received.sender != validators[asked - 1] or not state.model_requests:
        raise StaleInput
    return _ask_next(state, context) if asked else Step.unchanged(state)


def _ask_next(state: CollectingState, context: Context) -> BuyerStep:
    validators = model_holders(state.request, state.parties)
    turns, turn = divmod(state.model_requests, len(validators))
    request = message(context, validators[turn], ModelRequest(), label=str(state.model_requests))
    again = timers.MODEL.set(backed_off(state.request.deadlines.step_s, turns))
    return Step(replace(state, model_requests=state.model_requests + 1), (request, again))


def on_model_again(state: FinishedState, received: Received[TrainedModel], context: Context) -> BuyerStep:
    """The aggregator has not heard that the model arrived: say so once more.

    Raises StaleInput for a validator that was asked as well.
    """
    if received.sender in model_holders(state.request, state.parties):
        raise StaleInput
    require_sender(received.sender, state.request.aggregator)
    require(received.body.model.digest() == state.recorded_model, "wrong_model")
    label = received.envelope.message_id.hex()
    receipt = message(
        context, state.request.aggregator, ModelReceived(digest=state.recorded_model), label=label
    )
    return Step.unchanged(state, receipt)


def on_stop(state: RunningState, order: Received[StopOrder], context: Context) -> BuyerStep:
    """The operator stops the running training: the buyer falls silent, and what was recorded is settled."""
    require_sender(order.sender, context.address)
    fact = facts.STOP_REQUESTED.of(last_round=state.recorded)
    return Step(replace(state, stopped=True, failure="stopped_by_buyer"), (fact,))


def on_gone(state: OnChainState, _refusal: CallRefused, _context: Context) -> BuyerStep:
    """A reorganisation took the opening back after it was final, and the deposit with it."""
    return Step(fail(state, "not_on_chain"), (facts.NOT_ON_CHAIN.of(), *_no_more_waiting()))


def on_cancelled(state: OnChainState, event: Cancelled, _context: Context) -> BuyerStep:
    """The contract gave the deposit back."""
    fact = facts.CANCELLED.of(refund_wei=str(event.refund))
    withdrawal = SubmitCall(call=Withdraw(token=state.request.payment.token))
    return Step(fail(state, _why_cancelled(state)), (fact, withdrawal, *_no_more_waiting()))


def _why_cancelled(state: OnChainState) -> str:
    if isinstance(state, InitiatedState) and state.progressed_at:
        return "too_few_revealed" if has_too_few_revealed(state.parties, terms_of(state)) else "cancelled"
    few = not state.parties.drawn and len(state.parties.seats) < state.request.owners.minimum
    return "not_enough_owners" if few else "cancelled"


def _no_more_waiting() -> tuple[CancelTimer, ...]:
    waits = timers.ANSWER, timers.JOIN, timers.DRAW, timers.STALLED, timers.RECORD
    return tuple(wait.cancel() for wait in waits)


def on_failed_notice(state: C, notice: Received[TrainingFailed], _context: Context) -> Step[C]:
    """The aggregator says why the training ends; what ends it is the chain's settlement or cancellation."""
    fact = fact_of(notice, state.request.aggregator)
    return Step(replace(state, failure=state.failure or notice.body.code), (fact,))


def on_notice(state: RunningState, received: Received[Notice], _context: Context) -> BuyerStep:
    """Keep as a fact what the aggregator says."""
    return Step.unchanged(state, fact_of(received, state.request.aggregator))
