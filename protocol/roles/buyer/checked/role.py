"""The model buyer's machine where rounds are checked: its states and table, with the phases of any buyer."""

from protocol.roles.buyer import role
from protocol.roles.buyer.checked.state import CheckedRunningState
from protocol.roles.buyer.checked.table import ROWS
from protocol.roles.buyer.role import FINAL, display_status, members
from protocol.roles.buyer.state import STATES, BuyerState, RunningState
from protocol.roles.checked.requests import require_checkable
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Input
from protocol.roles.engine.machine import Machine

__all__ = ["FINAL", "MACHINE", "display_status", "initial", "members"]

MACHINE: Machine[BuyerState] = Machine(
    "model_buyer", tuple(CheckedRunningState if kind is RunningState else kind for kind in STATES), ROWS
)


def initial(item: Input, context: Context) -> Step[BuyerState]:
    """The state an order starts; no deposit is paid for a request whose rounds cannot be checked."""
    step = role.initial(item, context)
    require_checkable(step.state.request)
    return step
