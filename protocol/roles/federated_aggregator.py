"""The federated aggregator: brings a training together, averages what it cannot read, relays the rest."""

from collections.abc import Mapping

from protocol.marketplace import (
    Opened,
)
from protocol.roles import aggregator_evaluation as evaluation
from protocol.roles import aggregator_joining as joining
from protocol.roles import aggregator_lanes as lanes
from protocol.roles import aggregator_training as training
from protocol.roles.aggregator_state import AggregatorState
from protocol.roles.inputs import (
    Context,
    EventConfirmed,
    Input,
    MessageReceived,
    Step,
)
from protocol.roles.machine import (
    Handler,
    Machine,
    Table,
    require,
)

PHASES = ("requested", "inviting", "drawing", "training", "settling", "ending", "done", "failed")
FINAL = frozenset({"done", "failed"})
STATE = AggregatorState
_Step = Step[AggregatorState]


def initial(item: Input, _context: Context) -> AggregatorState:
    """The state that the first word of a training starts: its opening on chain or the buyer's request."""
    if isinstance(item, MessageReceived):
        require(item.signed.envelope.type == "training_request", "unknown_training")
        return AggregatorState(training=item.signed.envelope.training)
    require(
        isinstance(item, EventConfirmed) and isinstance(item.chain_event.event, Opened), "unknown_training"
    )
    assert isinstance(item, EventConfirmed)
    assert isinstance(item.chain_event.event, Opened)
    return AggregatorState(training=item.chain_event.event.training)


def shown(state: AggregatorState) -> str:
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
    "Cancelled": lanes.on_cancelled,
}
TABLE: Table = {
    "requested": {
        "Opened": joining.on_opened,
        "training_request": joining.on_training_request,
        "Cancelled": lanes.on_cancelled,
    },
    "inviting": {**_JOINING, "Closed": joining.on_closed},
    "drawing": {
        "RolesDrawn": joining.on_roles_drawn,
        "Closed": joining.on_closed,
        "invitation_answer": joining.on_invitation_answer,
        "timer:rows": joining.on_rows_late,
        "Cancelled": lanes.on_cancelled,
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
        "RoundRecorded": lanes.on_round_recorded,
        "refused:record_round": lanes.on_record_refused,
        "Settled": lanes.on_settled,
        "Cancelled": lanes.on_cancelled,
        "stop_order": lanes.on_stop,
    },
    "settling": {"Settled": lanes.on_settled, "model_received": lanes.on_model_received},
    "ending": {
        "timer:end": training.on_end,
        "Settled": lanes.on_settled,
        "Cancelled": lanes.on_cancelled,
        "RoundRecorded": lanes.on_round_recorded_late,
    },
    "done": {},
    "failed": {},
}
MACHINE: Machine[AggregatorState] = Machine("federated_aggregator", PHASES, TABLE)
