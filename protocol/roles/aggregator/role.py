"""The federated aggregator: brings a training together, averages what it cannot read, relays the rest."""

from protocol.errors import ProtocolViolation
from protocol.marketplace import Opened
from protocol.roles.aggregator.rounds.table import ROWS
from protocol.roles.aggregator.state import (
    AggregatorState,
    DoneState,
    DrawingState,
    EndingState,
    FailedState,
    InvitingState,
    RequestedState,
    SettlingState,
    TrainingState,
)
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.early import Members
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived
from protocol.roles.engine.machine import Machine
from protocol.roles.engine.refusals import require
from protocol.roles.shared.deadlines import OPENED_SECONDS
from protocol.types import TrainingId

FINAL = frozenset({"done", "failed"})
STATES = (
    RequestedState,
    InvitingState,
    DrawingState,
    TrainingState,
    SettlingState,
    EndingState,
    DoneState,
    FailedState,
)
"""In the order of the phases."""

MACHINE: Machine[AggregatorState] = Machine("federated_aggregator", STATES, ROWS)


def initial(item: Input, _context: Context) -> Step[RequestedState]:
    """The state that the first word of a training starts: its opening on chain or the buyer's request."""
    return Step(RequestedState(training=_training_of(item)), (timers.OPENED.set(OPENED_SECONDS),))


def _training_of(item: Input) -> TrainingId:
    match item:
        case MessageReceived(signed=signed):
            require(signed.envelope.type == "training_request", "unknown_training")
            return signed.envelope.training
        case EventConfirmed(chain_event=chain_event) if isinstance(chain_event.event, Opened):
            return chain_event.event.training
        case _:
            raise ProtocolViolation("unknown_training")


def members(state: AggregatorState, context: Context) -> Members:
    """Who takes part; only owners that were admitted are invited."""
    buyer = None if state.opened is None else state.opened.buyer
    return Members(buyer, context.address, frozenset((*state.parties.seats, *context.announced)))


def display_status(state: AggregatorState) -> str:
    """The state as people see it."""
    match state:
        case FailedState():
            return f"FAILED({state.failure})"
        case RequestedState():
            return "WAITING"
        case InvitingState():
            return "INITIATED" if state.parties.seats else "WAITING"
        case DrawingState():
            return "INITIATED"
        case DoneState():
            return "FINISHED"
        case _:
            return "IN_PROGRESS"
