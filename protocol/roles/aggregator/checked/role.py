"""The federated aggregator's machine where rounds are checked."""

from protocol.roles.aggregator.checked.state import STATES
from protocol.roles.aggregator.checked.table import ROWS
from protocol.roles.aggregator.role import FINAL, display_status, initial, members
from protocol.roles.aggregator.state import AggregatorState
from protocol.roles.engine.machine import Machine

__all__ = ["FINAL", "MACHINE", "display_status", "initial", "members"]

MACHINE: Machine[AggregatorState] = Machine("federated_aggregator", STATES, ROWS)
