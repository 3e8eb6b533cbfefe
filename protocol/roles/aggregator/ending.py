"""How the aggregator ends a training without a model.

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
    Revealed,
    RolesDrawn,
    RoundRecorded,
    Settle,
    Settled,
)
from protocol.messages import StopOrder, TrainingFailed
from protocol.roles.aggregator.settlement import settle, without_model
from protocol.roles.aggregator.state import (
    AggregatorState,
    DrawingState,
    EndingState,
    FailedState,
    OpenedState,
    PreparedState,
    SettlingState,
    TrainingState,
    chain_seconds,
    opened_of,
)
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import SendMessage, SetTimer, SubmitCall, effects_of
from protocol.roles.engine.inputs import CallRefused, Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import enter, replace
from protocol.roles.engine.worked_out import forget_work
from protocol.roles.shared.bonds import note_bond
from protocol.roles.shared.deadlines import ending_seconds
from protocol.roles.shared.drawing import has_too_few_revealed
from protocol.roles.shared.notices import gave_up
from protocol.roles.shared.parties import require_sender
from protocol.types import Seats

# ---- given up ----


def give_up(
    state: AggregatorState,
    code: str,
    context: Context,
    *,
    fault: str | None = None,
    silent: Seats = 0,
    silent_buyer: bool = False,
) -> Step[EndingState]:
    """Tell everybody and end the training on chain by what was recorded, as soon as the contract lets us.

    `fault` is the address of the party that is to blame, if one is; `silent` the seats that we waited for in
    vain, which everybody is told and blames nobody. With them goes the buyer where it may have kept from them
    what they would have answered.
    """
    forget_work(context, state.training)
    closed = isinstance(state, DrawingState | TrainingState)
    missed = (*state.parties.addresses(silent), *((opened_of(state).buyer,) if silent_buyer else ()))
    ending = enter(EndingState, state, failure=code, closed=closed, fault=fault, missed=missed)
    notices = _failure_notices(ending, code, context)
    wait = timers.END.set(_seconds_to_the_end(state, context))
    return Step(ending, (*notices, wait, gave_up(code, ending.recorded, fault, missed)))


def _seconds_to_the_end(state: AggregatorState, context: Context) -> float:
    """How long until the contract lets anybody end the training."""
    terms = opened_of(state).terms
    if not isinstance(state, DrawingState | TrainingState):
        return terms.join_seconds + 1.0
    left = max(0.0, state.ends_at - context.now)
    return min(left, terms.reveal_seconds + ending_seconds(terms))  # a clock may have been set back


def _failure_notices(state: AggregatorState, code: str, context: Context) -> list[SendMessage]:
    """Who has been given up on is named each time: the last notice is the one that is shown and counts."""
    named = state if isinstance(state, EndingState) else None
    body = TrainingFailed(
        code=code,
        fault=named.fault if named else None,
        last_round=state.recorded,
        silent=named.missed if named else (),
    )
    recipients = (opened_of(state).buyer, *state.parties.taking_part())
    return [message(context, recipient, body) for recipient in recipients]


def on_stop(state: PreparedState, order: Received[StopOrder], context: Context) -> Step[EndingState]:
    """The operator stops the training at the last recorded round."""
    require_sender(order.sender, context.address)
    return give_up(state, "stopped_by_aggregator", context)


def stall_timer(state: DrawingState | TrainingState, context: Context) -> SetTimer:
    """Fires when the contract lets anybody end the training for want of progress."""
    return timers.STALLED.set(_seconds_to_the_end(state, context))


# ---- until the chain shows the end ----


def on_end(state: EndingState, _about: None, _context: Context) -> Step[EndingState]:
    """The call that ends the training, again and again until the chain says it is over."""
    again = timers.END.set(chain_seconds(state))
    return Step.unchanged(state, SubmitCall(call=ending_call(state)), again)


def ending_call(state: EndingState) -> ContractCall:
    """What ends the training from where the chain has it: anybody may, once its time is over.

    With enough seats only the buyer may cancel; others close the joining, and cancel a round's time later.
    To close may cost a bond: then the contract takes a cancelling a little later instead.
    """
    if state.recorded:
        return Settle(training=state.training)
    terms = state.opened.terms
    if not state.closed and not terms.aggregator_bond and len(state.parties.seats) >= terms.min_owners:
        return Close(training=state.training)
    return Cancel(training=state.training)


def on_joined(state: EndingState, event: Joined, _context: Context) -> Step[EndingState]:
    """A seat taken before the joining is over counts for what may end the training."""
    return Step(replace(state, parties=state.parties.with_seat(event)))


def on_closed(state: EndingState, _event: Closed, _context: Context) -> Step[EndingState]:
    """The contract's clock for the first round starts when the time to reveal is over."""
    terms = state.opened.terms
    wait = timers.END.set(terms.reveal_seconds + ending_seconds(terms))
    bond = note_bond(state.training, terms, terms.aggregator_bond)
    return Step(replace(state, closed=True), effects_of(wait, bond))


def on_revealed(state: EndingState, event: Revealed, _context: Context) -> Step[EndingState]:
    """Owners reveal all the same: nothing comes of it here."""
    return Step(replace(state, parties=state.parties.with_reveal(event)))


def on_roles_drawn(state: EndingState, event: RolesDrawn, _context: Context) -> Step[EndingState]:
    """Somebody had the roles drawn, or a fold is over: nothing starts, and the contract's clock goes on."""
    if event.validators & (state.parties.validators | state.parties.validated):
        return Step.unchanged(state)
    if state.parties.drawn:
        return Step(replace(state, parties=state.parties.in_next_fold(event)))
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    return Step(replace(state, parties=parties))


def on_round_recorded(
    state: EndingState, event: RoundRecorded, _context: Context
) -> Step[EndingState | SettlingState]:
    """A record that was under way when the training was given up counts; the last one settles at once."""
    require(event.round == state.recorded + 1, "round_out_of_order")
    recorded = replace(state, recorded=event.round, delivered=event.record.delivered_digest)
    if event.record.last and recorded.request is not None:
        return settle(recorded, recorded.request)
    return _wait_longer(recorded)


def _wait_longer(state: EndingState) -> Step[EndingState]:
    return Step(state, (timers.END.set(ending_seconds(state.opened.terms)),))


# ---- over ----


def on_cancelled(state: AggregatorState, _event: Cancelled, context: Context) -> Step[FailedState]:
    """Tell everybody that the deposit went back."""
    code = state.failure or _why_cancelled(state)
    return Step(
        enter(FailedState, state, failure=code),
        effects_of(
            _failure_notices(state, code, context),
            timers.OPENED.cancel(),
            timers.REQUEST.cancel(),
            timers.JOIN.cancel(),
            timers.DRAW.cancel(),
            timers.STALLED.cancel(),
            timers.END.cancel(),
        ),
    )


def _why_cancelled(state: AggregatorState) -> str:
    few = isinstance(state, DrawingState) and has_too_few_revealed(state.parties, state.opened.terms)
    return "too_few_revealed" if few else "cancelled"


def on_gone(state: OpenedState, _refusal: CallRefused, context: Context) -> Step[FailedState]:
    """A reorganisation took the opening back after it was final: there is nothing left to end on chain."""
    code = "not_on_chain"
    return Step(
        enter(FailedState, state, failure=code),
        effects_of(
            _failure_notices(state, code, context),
            timers.JOIN.cancel(),
            timers.DRAW.cancel(),
            timers.ROWS.cancel(),
            timers.STALLED.cancel(),
            timers.END.cancel(),
            timers.SETTLE.cancel(),
            timers.DELIVERY.cancel(),
        ),
    )


def on_settled_early(state: OpenedState, _event: Settled, _context: Context) -> Step[FailedState]:
    """The contract has paid before the last round was recorded: there is no model to deliver."""
    return without_model(state)
