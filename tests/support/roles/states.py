"""States as a daemon would have stored them, from the fields that a test cares about."""

from typing import Any

from protocol.codec import pack
from protocol.roles.dispatch import ROLES, _Instance
from protocol.roles.engine.state import PhaseState


def state_of(role: str, phase: str, **fields: Any) -> PhaseState:
    """The state of a phase; fields that it does not have are left out, as they are when it is read."""
    kind = ROLES[role].MACHINE.kinds[phase]
    return kind(phase=phase, **{name: value for name, value in fields.items() if name in kind.model_fields})


def stored(state: PhaseState) -> bytes:
    """The bytes of an instance in this state, with no early input."""
    return pack(_Instance(state=pack(state), rounds="checked"))
