"""The model buyer: orders a training, answers with its key what it must not understand, pays, gets the model.

It decrypts only what is masked and one opened sum per round; the model itself arrives after the contract has
settled.
"""

from protocol.bodies import body_of
from protocol.errors import ProtocolViolation
from protocol.messages import TrainingOrder
from protocol.roles.buyer.ordering import require_possible
from protocol.roles.buyer.rounds.table import ROWS
from protocol.roles.buyer.state import (
    BuyerState,
    CollectingState,
    FailedState,
    FinishedState,
    InitiatedState,
    OpenedState,
    OrderedState,
    RunningState,
    private_key_of,
)
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.early import Members
from protocol.roles.engine.inputs import Input, MessageReceived
from protocol.roles.engine.machine import Machine
from protocol.roles.engine.refusals import require

FINAL = frozenset({"finished", "failed"})
STATES = (
    OrderedState,
    OpenedState,
    InitiatedState,
    RunningState,
    CollectingState,
    FinishedState,
    FailedState,
)
"""In the order of the phases."""

MACHINE: Machine[BuyerState] = Machine("model_buyer", STATES, ROWS)


def initial(item: Input, context: Context) -> Step[BuyerState]:
    """The state an order starts; the step that follows opens the training on chain."""
    if not isinstance(item, MessageReceived) or item.signed.envelope.type != "training_order":
        raise ProtocolViolation("unknown_training")
    require(item.signed.envelope.sender == context.address, "not_the_operator")
    order = body_of(item.signed, TrainingOrder)
    request = order.request
    require_possible(request)
    bonds = request.payment.bonds
    # Whoever gets its own bond back has none at stake; the contract refuses it as well.
    require(bonds is None or not bonds.buyer or bonds.forfeit_to != context.address, "bond_to_itself")
    n = private_key_of(context).public_key.n
    state = OrderedState(request=request, n=n, admission=order.admission)
    return Step(state, (timers.OPEN.set(float(request.deadlines.chain_s)),))


def members(state: BuyerState, context: Context) -> Members:
    """Who takes part; the owners are known once the roles are drawn."""
    owners = frozenset(state.parties.taking_part()) if state.parties.drawn else None
    return Members(context.address, state.request.aggregator, owners)


def display_status(state: BuyerState) -> str:
    """The state as people see it."""
    match state:
        case FailedState():
            return f"FAILED({state.failure})"
        case OrderedState() | OpenedState():
            return "WAITING"
        case InitiatedState():
            return "INITIATED"
        case FinishedState():
            return "FINISHED"
    return "IN_PROGRESS"
