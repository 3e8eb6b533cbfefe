"""The data owner in a training whose rounds are checked."""

from protocol.roles.engine.machine import Machine
from protocol.roles.owner.checked.state import STATES
from protocol.roles.owner.checked.table import ROWS
from protocol.roles.owner.role import FINAL, display_status, initial, members
from protocol.roles.owner.state import OwnerState

MACHINE: Machine[OwnerState] = Machine("data_owner", STATES, ROWS)

__all__ = ["FINAL", "MACHINE", "display_status", "initial", "members"]
