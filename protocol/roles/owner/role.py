"""The data owner: decides about invitations, then trains or validates as the contract draws it."""

from collections.abc import Mapping

from protocol.marketplace import Opened
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SetTimer
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived
from protocol.roles.engine.refusals import require
from protocol.roles.engine.untyped import Handler, Table, UntypedMachine, untyped_rows
from protocol.roles.owner import progress as running
from protocol.roles.owner import stall as waiting
from protocol.roles.owner import trainer, validator
from protocol.roles.owner.joining import (
    _on_decision,
    _on_invitation,
    _on_join_over,
    _on_join_refused,
    _on_never_opened,
    _on_opened,
    _on_reconsidered,
)
from protocol.roles.owner.state import OwnerState
from protocol.roles.shared.deadlines import OPENED_SECONDS, on_settle_refused

PHASES = ("waiting", "ready", "initiated", "running", "finished", "declined", "failed")
FINAL = frozenset({"finished", "declined", "failed"})
STATE = OwnerState


def initial(item: Input, _context: Context) -> Step[OwnerState]:
    """The state that the first word of a training starts: its opening on chain or the invitation."""
    unopened = SetTimer(name="opened", seconds=OPENED_SECONDS)
    if isinstance(item, MessageReceived):
        require(item.signed.envelope.type == "invitation", "unknown_training")
        return Step(OwnerState(training=item.signed.envelope.training), (unopened,))
    require(
        isinstance(item, EventConfirmed) and isinstance(item.chain_event.event, Opened), "unknown_training"
    )
    assert isinstance(item, EventConfirmed)
    assert isinstance(item.chain_event.event, Opened)
    return Step(OwnerState(training=item.chain_event.event.training), (unopened,))


def display_status(state: OwnerState) -> str:
    """The state as people see it."""
    if state.phase == "failed":
        return f"FAILED({state.failure})"
    return "IN_PROGRESS" if state.phase == "running" else state.phase.upper()


# ---- deciding ----


_UNDECIDED: Mapping[str, Handler] = {
    "Opened": _on_opened,
    "invitation": _on_invitation,
    "Joined": running.on_joined,
    "RolesDrawn": running.on_roles_drawn,
    "Cancelled": running.on_cancelled,
    "catalogue_changed": _on_reconsidered,
    "policy_changed": _on_reconsidered,
    "timer:join": _on_join_over,
    "timer:opened": _on_never_opened,
}

TABLE: Table = {
    "waiting": _UNDECIDED,
    "ready": {**_UNDECIDED, "owner_decision": _on_decision},
    "initiated": {
        "Joined": running.on_joined,
        "Closed": waiting.on_closed,
        "RolesDrawn": running.on_roles_drawn,
        "Cancelled": running.on_cancelled,
        "refused:join": _on_join_refused,
        "timer:stalled": waiting.on_stalled,
        "training_gone": running.on_gone,
    },
    "running": {
        "training_started": running.on_training_started,
        "encrypted_model": trainer.on_encrypted_model,
        "local_models": validator.on_local_models,
        "metric_products": validator.on_metric_products,
        "opening_request": validator.on_opening_request,
        "opening": validator.on_opening,
        "opening_refused": validator.on_opening_refused,
        "RoundRecorded": running.on_round_recorded,
        "Settled": running.on_settled,
        "Cancelled": running.on_cancelled,
        "timer:stalled": waiting.on_stalled,
        "refused:settle": on_settle_refused,
        "training_gone": running.on_gone,
        "round_completed": running.noted,
        "participant_dropped": running.noted,
        "complaint": running.noted,
        "training_failed": running.noted,
    },
    "finished": {"model_request": validator.on_model_request, "timer:retention": running.on_retention_over},
    "declined": {},
    "failed": {},
}
MACHINE: UntypedMachine[OwnerState] = UntypedMachine("data_owner", (OwnerState,), untyped_rows(TABLE))
