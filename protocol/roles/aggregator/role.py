"""The federated aggregator: brings a training together, averages what it cannot read, relays the rest."""

from collections.abc import Mapping

from protocol.marketplace import (
    Opened,
)
from protocol.roles.aggregator import evaluation, joining, training
from protocol.roles.aggregator import pipeline as lanes
from protocol.roles.aggregator import settlement as ending
from protocol.roles.aggregator.state import AggregatorState
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SetTimer
from protocol.roles.engine.inputs import EventConfirmed, Input, MessageReceived
from protocol.roles.engine.refusals import require
from protocol.roles.engine.untyped import Handler, Table, UntypedMachine, untyped_rows
from protocol.roles.shared.deadlines import OPENED_SECONDS, on_settle_refused

PHASES = ("requested", "inviting", "drawing", "training", "settling", "ending", "done", "failed")
FINAL = frozenset({"done", "failed"})
STATE = AggregatorState
_Step = Step[AggregatorState]


def initial(item: Input, _context: Context) -> _Step:
    """The state that the first word of a training starts: its opening on chain or the buyer's request."""
    unopened = SetTimer(name="opened", seconds=OPENED_SECONDS)
    if isinstance(item, MessageReceived):
        require(item.signed.envelope.type == "training_request", "unknown_training")
        return Step(AggregatorState(training=item.signed.envelope.training), (unopened,))
    require(
        isinstance(item, EventConfirmed) and isinstance(item.chain_event.event, Opened), "unknown_training"
    )
    assert isinstance(item, EventConfirmed)
    assert isinstance(item.chain_event.event, Opened)
    return Step(AggregatorState(training=item.chain_event.event.training), (unopened,))


def display_status(state: AggregatorState) -> str:
    """The state as people see it."""
    names = {"requested": "WAITING", "inviting": "WAITING", "drawing": "INITIATED", "done": "FINISHED"}
    if state.phase == "failed":
        return f"FAILED({state.failure})"
    if state.phase == "inviting" and state.parties.seats:
        return "INITIATED"
    return names.get(state.phase, "IN_PROGRESS")


_JOINING: Mapping[str, Handler] = {
    "Joined": joining.on_joined,
    "invitation_answer": joining.on_invitation_answer,
    "timer:join": joining.on_join_over,
    "Cancelled": ending.on_cancelled,
}
TABLE: Table = {
    "requested": {
        "Opened": joining.on_opened,
        "training_request": joining.on_training_request,
        "timer:opened": joining.on_never_opened,
        "timer:request": joining.on_request_late,
        "Cancelled": ending.on_cancelled,
    },
    "inviting": {
        **_JOINING,
        "Closed": joining.on_closed,
        "stop_order": ending.on_stop,
        "training_gone": ending.on_gone,
    },
    "drawing": {
        "RolesDrawn": joining.on_roles_drawn,
        "Closed": joining.on_closed,
        "invitation_answer": joining.on_invitation_answer,
        "timer:draw": joining.on_draw_late,
        "timer:rows": joining.on_rows_late,
        "training_gone": ending.on_gone,
        "Cancelled": ending.on_cancelled,
        "stop_order": ending.on_stop,
    },
    "training": {
        "gradient_update": lanes.advancing(training.on_gradient_update),
        "timer:updates": lanes.advancing(training.on_updates_late),
        "refresh_answer": lanes.advancing(training.on_refresh_answer),
        "timer:refresh": training.on_refresh_late,
        "encrypted_metric": lanes.advancing(evaluation.on_encrypted_metric),
        "timer:metrics": lanes.advancing(evaluation.on_metrics_late),
        "opening": lanes.advancing(evaluation.on_opening),
        "opening_refused": evaluation.on_opening_refused,
        "timer:opening": evaluation.on_opening_late,
        "round_signature": lanes.advancing(evaluation.on_round_signature),
        "timer:signatures": evaluation.on_signatures_late,
        "invitation_answer": joining.on_late_answer,
        "RoundRecorded": lanes.on_round_recorded,
        "refused:record_round": lanes.on_record_refused,
        "timer:stalled": lanes.on_stalled,
        "training_gone": ending.on_gone,
        "Settled": ending.on_settled,
        "Cancelled": ending.on_cancelled,
        "stop_order": ending.on_stop,
    },
    "settling": {
        "timer:settle": ending.on_settle_late,
        "refused:settle": on_settle_refused,
        "training_gone": ending.on_gone,
        "Settled": ending.on_settled,
        "Cancelled": ending.on_cancelled,
        "timer:delivery": ending.on_delivery_late,
        "model_received": ending.on_model_received,
    },
    "ending": {
        "timer:end": ending.on_end,
        "refused:settle": on_settle_refused,
        "training_gone": ending.on_gone,
        "Joined": ending.on_joined,
        "Closed": ending.on_closed,
        "RolesDrawn": ending.on_roles_drawn,
        "RoundRecorded": ending.on_round_recorded,
        "Settled": ending.on_settled,
        "Cancelled": ending.on_cancelled,
    },
    "done": {},
    "failed": {},
}
MACHINE: UntypedMachine[AggregatorState] = UntypedMachine(
    "federated_aggregator", (AggregatorState,), untyped_rows(TABLE)
)
