"""The data owner: decides about invitations, then trains or validates as the contract draws it."""

from protocol.errors import ProtocolViolation
from protocol.marketplace import Opened
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.early import Members
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived
from protocol.roles.engine.machine import Machine
from protocol.roles.engine.refusals import require
from protocol.roles.owner.rounds.table import ROWS
from protocol.roles.owner.state import (
    DeclinedState,
    FailedState,
    FinishedState,
    InitiatedState,
    OwnerState,
    ReadyState,
    RunningState,
    WaitingState,
)
from protocol.roles.shared.deadlines import OPENED_SECONDS

FINAL = frozenset({"finished", "declined", "failed"})
STATES = (WaitingState, ReadyState, InitiatedState, RunningState, FinishedState, FailedState, DeclinedState)
"""In the order of the phases."""

MACHINE: Machine[OwnerState] = Machine("data_owner", STATES, ROWS)


def initial(item: Input, _context: Context) -> Step[OwnerState]:
    """The state that the first word of a training starts: its opening on chain or the invitation."""
    unopened = timers.OPENED.set(OPENED_SECONDS)
    if isinstance(item, MessageReceived):
        require(item.signed.envelope.type == "invitation", "unknown_training")
        return Step(WaitingState(training=item.signed.envelope.training), (unopened,))
    event = item.chain_event.event if isinstance(item, EventConfirmed) else None
    if not isinstance(event, Opened):
        raise ProtocolViolation("unknown_training")
    return Step(WaitingState(training=event.training), (unopened,))


def members(state: OwnerState, _context: Context) -> Members:
    """Who takes part; the owners are known once the roles are drawn."""
    owners = frozenset(state.parties.taking_part()) if state.parties.drawn else None
    if state.opened is not None:
        return Members(state.opened.buyer, state.opened.aggregator, owners)
    return Members(None, None if state.request is None else state.request.aggregator, owners)


def display_status(state: OwnerState) -> str:
    """The state as people see it."""
    if isinstance(state, FailedState):
        return f"FAILED({state.failure})"
    return "IN_PROGRESS" if isinstance(state, RunningState) else state.phase.upper()
