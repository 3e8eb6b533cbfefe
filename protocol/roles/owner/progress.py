"""A data owner after it has joined: what it hears of the training's course, up to its end."""

from protocol.marketplace import Cancelled, Claim, RolesDrawn, RoundRecorded, Settled, Withdraw
from protocol.messages import TrainingFailed
from protocol.records import RoundRecord
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SubmitCall, effects_of
from protocol.roles.engine.inputs import CallRefused, Received
from protocol.roles.engine.state import enter, replace
from protocol.roles.engine.worked_out import forget_work
from protocol.roles.owner import inference, stall
from protocol.roles.owner.budget import give_back, policy_of, with_start_error
from protocol.roles.owner.joining import left_out
from protocol.roles.owner.state import (
    FailedState,
    FinishedState,
    InitiatedState,
    JoinedState,
    OwnerState,
    RunningState,
)
from protocol.roles.shared.deadlines import RETENTION_SECONDS
from protocol.roles.shared.drawing import has_too_few_revealed
from protocol.roles.shared.notices import Notice, fact_of
from protocol.roles.shared.signed_models import still_needed
from protocol.roles.shared.signed_rounds import record_timer, with_recorded
from protocol.roles.shared.transcript import TranscriptHead


def on_roles_drawn(state: InitiatedState, event: RolesDrawn, context: Context) -> Step[OwnerState]:
    """Train or validate from now on, as the contract drew it; without a seat, or its data set, it is over."""
    if context.address not in state.parties.seats:
        return left_out(state, event, failure="joined_too_late")
    if not state.rows:
        return left_out(state, event, failure="data_set_gone")
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    if not parties.has_role(context.address):
        return left_out(state, event, failure="not_revealed")
    trains = context.address in parties.addresses(parties.trainers)
    fact = facts.ROLE_DRAWN.of(role="trainer" if trains else "validator")
    since = state.progressed_at or context.now
    running = enter(RunningState, state, parties=parties, closed=True, progressed_at=since)
    return Step(running, (fact, timers.DRAW.cancel(), stall.stall_timer(running, context)))


def on_round_recorded(state: RunningState, event: RoundRecorded, context: Context) -> Step[OwnerState]:
    """Note the round that the chain has recorded."""
    after = with_recorded(with_start_error(state, event.record.validators), event, context)
    # With folds a trainer validates later, and goes on from where the chain of rounds stands then.
    measures = context.address in state.parties.addresses(state.parties.validators)
    if measures or state.request.schedule.folds > 1:
        after = _caught_up(after, event.record)
    models = still_needed(after.signed_models, event)
    after = replace(after, signed_models=models, trained_by=event.record.trainers)
    waits = stall.stall_timer(after, context), record_timer(after, state.opened.terms, context)
    return Step(after, (facts.ROUND_RECORDED.of(round=event.round), *waits))


def _caught_up(state: RunningState, record: RoundRecord) -> RunningState:
    """A validator that was left out of a round goes on from its record, which the others have signed."""
    digest = state.request.hash()
    link = state.link or TranscriptHead(model_digest=digest, transcript=digest)
    if link.round != record.round - 1:
        return state  # it has checked the round itself
    return replace(state, link=link.next(record), caught_up=record.round)


def on_settled(state: RunningState, _event: Settled, context: Context) -> Step[OwnerState]:
    """The deposit is divided: claim our part; whoever holds the last model keeps it for a buyer that asks.

    With `inference` trainers send the shares of their information, and checkers wait for them.
    """
    pool = inference.pool_after(state, context)
    shares = () if pool is None else inference.shares_for(pool, state, context)
    pooling = None if pool is None else inference.pooling_for(pool, state, context)
    finished = enter(FinishedState, state, settled_at=context.now, pooling=pooling)
    effects = (
        give_back(state, shared=bool(shares)),
        shares,
        None if pooling is None else inference.pooling_timer(state),
        _claim(state, context),
        timers.STALLED.cancel(),
        timers.RECORD.cancel(),
        timers.RETENTION.set(RETENTION_SECONDS) if state.signed_models else None,
    )
    return Step(finished, effects_of(*effects))


def _claim(state: RunningState | FailedState, context: Context) -> tuple[SubmitCall, ...]:
    """The calls that have our pay credited, and paid out after that where the policy wants it.

    Whether there is any, the contract knows: to ask for none costs nothing.
    """
    claim = SubmitCall(call=Claim(training=state.training))
    if state.request is None or not policy_of(context).withdraw:
        return (claim,)
    return claim, SubmitCall(call=Withdraw(token=state.request.payment.token))


def on_retention_over(state: FinishedState, _about: None, _context: Context) -> Step[OwnerState]:
    """Neither the model nor shares of information need be kept any longer."""
    return Step(replace(state, signed_models=(), pooling=None))


def on_cancelled(state: OwnerState, _event: Cancelled, context: Context) -> Step[OwnerState]:
    """What it cannot have published is given back; once roles were drawn the price of leaving is claimed."""
    waits = timers.OPENED, timers.JOIN, timers.ADMISSION, timers.DRAW, timers.STALLED, timers.RECORD
    counted = give_back(state) if isinstance(state, JoinedState) else None
    failed = enter(FailedState, state, failure=_why_cancelled(state))
    claim = None
    if isinstance(state, RunningState) and state.opened.terms.abandon_bps:
        claim = _claim(state, context)
    return Step(failed, effects_of([wait.cancel() for wait in waits], counted, claim))


def on_cancelled_without_us(state: FailedState, _event: Cancelled, context: Context) -> Step[OwnerState]:
    """The buyer's leaving is paid to all that were drawn, also to an owner that could not do its part."""
    seats = state.parties.seats
    drawn = context.address in seats and state.parties.has_role(context.address)
    return Step.unchanged(state, *(_claim(state, context) if drawn else ()))


def _why_cancelled(state: OwnerState) -> str:
    if isinstance(state, InitiatedState) and state.closed:
        return "too_few_revealed" if has_too_few_revealed(state.parties, state.opened.terms) else "cancelled"
    return "cancelled"


def on_gone(state: JoinedState, _refusal: CallRefused, _context: Context) -> Step[OwnerState]:
    """A reorganisation took the opening back after it was final: nobody will pay.

    Its numbers are out all the same.
    """
    failed = enter(FailedState, state, failure="not_on_chain")
    waits = timers.ADMISSION, timers.DRAW, timers.STALLED, timers.RECORD
    return Step(failed, effects_of([wait.cancel() for wait in waits], give_back(state)))


def on_notice(state: RunningState, received: Received[Notice], context: Context) -> Step[OwnerState]:
    """Keep as a fact what the aggregator says, and when; what ends the training comes from the chain."""
    fact = fact_of(received, state.request.aggregator)
    code = state.given_up
    if isinstance(received.body, TrainingFailed):
        code = received.body.code
        forget_work(context, state.training)
    return Step(replace(state, heard_at=context.now, given_up=code), (fact,))
