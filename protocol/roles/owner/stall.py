"""A data owner's patience: when buyer and aggregator have left a training alone, an owner ends it on chain.

An owner that joined has rows bound to the training, and pay where rounds were recorded. The contract lets
anybody settle or cancel once its time is over, so no party's silence keeps either.
"""

from protocol.marketplace import Cancel, Close, ContractCall, Settle
from protocol.request import Request
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SetTimer, SubmitCall
from protocol.roles.owner.state import InitiatedState, JoinedState, OwnerState, RunningState
from protocol.roles.shared.deadlines import owner_stall_timer, seconds_to_the_end


def joining_seconds(request: Request, join_until: int, context: Context) -> float:
    """How long the joining lasts; never longer than agreed, whatever our clock or the aggregator says."""
    return min(max(0.0, join_until - context.now), float(request.deadlines.join_s))


def joining_timer(state: InitiatedState, context: Context) -> SetTimer:
    """Fires when the joining should have been closed by its aggregator, or cancelled by its buyer."""
    joining = joining_seconds(state.request, state.join_until, context)
    return timers.STALLED.set(joining + 2.0 * state.request.deadlines.chain_s)


def stall_timer(state: JoinedState, context: Context) -> SetTimer:
    """Fires when the contract has waited long enough since its last event, and the others before us too."""
    seats = state.parties.seats
    seat = seats.index(context.address) if context.address in seats else 0
    chain = float(state.request.deadlines.chain_s)
    if isinstance(state, RunningState) and state.last_recorded:
        return owner_stall_timer(
            2.0 * chain, chain, seat
        )  # anybody may settle, the aggregator and buyer first
    seconds = seconds_to_the_end(state.opened.terms, state.progressed_at, context.now)
    return owner_stall_timer(seconds, chain, seat)


def on_stalled(state: JoinedState, _about: None, _context: Context) -> Step[OwnerState]:
    """Have the contract end what nobody else has ended, again and again until the chain says it is over."""
    again = timers.STALLED.set(float(state.request.deadlines.chain_s))
    return Step.unchanged(state, SubmitCall(call=_ending_call(state)), again)


def _ending_call(state: JoinedState) -> ContractCall:
    """With enough seats only the buyer may cancel; others close the joining, and cancel a round later.

    Where the aggregator deposits a bond it alone may close, and others cancel.
    """
    if state.recorded:
        return Settle(training=state.training)
    terms = state.opened.terms
    if not state.closed and not terms.aggregator_bond and len(state.parties.seats) >= terms.min_owners:
        return Close(training=state.training)
    return Cancel(training=state.training)
