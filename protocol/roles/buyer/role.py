"""The model buyer: orders a training, answers with its key what it must not understand, pays, gets the model.

It decrypts only masked digits (refresh, metric) and one opened sum per round; the model itself arrives
after the contract has settled.
"""

from collections.abc import Mapping

from protocol.bodies import body_of
from protocol.messages import (
    TrainingOrder,
)
from protocol.roles.buyer import delivery as end
from protocol.roles.buyer import ordering as opening
from protocol.roles.buyer import rounds
from protocol.roles.buyer.ordering import require_possible
from protocol.roles.buyer.state import BuyerState, private_key_of
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SetTimer
from protocol.roles.engine.inputs import Input, MessageReceived
from protocol.roles.engine.machine import (
    Handler,
    Machine,
    Received,
    Table,
    require,
)
from protocol.roles.shared.deadlines import on_settle_refused
from protocol.roles.shared.transcript import TranscriptHead

PHASES = ("ordered", "opened", "initiated", "running", "collecting", "finished", "failed")
FINAL = frozenset({"finished", "failed"})


STATE = BuyerState


def initial(item: Input, context: Context) -> Step[BuyerState]:
    """The state an order starts; the step that follows opens the training on chain."""
    require(isinstance(item, MessageReceived), "unknown_training")
    assert isinstance(item, MessageReceived)
    order = Received(item.signed, _order(item))
    require(order.sender == context.address, "not_the_operator")
    request = order.body.request
    require_possible(request)
    key = private_key_of(context).public_key
    digest = request.hash()
    state = BuyerState(request=request, n=key.n, link=TranscriptHead(model_digest=digest, transcript=digest))
    return Step(state, (SetTimer(name="open", seconds=float(request.deadlines.chain_s)),))


def display_status(state: BuyerState) -> str:
    """The state as people see it."""
    names = {"ordered": "WAITING", "opened": "WAITING", "initiated": "INITIATED", "finished": "FINISHED"}
    if state.phase == "failed":
        return f"FAILED({state.failure})"
    return names.get(state.phase, "IN_PROGRESS")


def _order(item: MessageReceived) -> TrainingOrder:
    require(item.signed.envelope.type == "training_order", "unknown_training")
    return body_of(item.signed, TrainingOrder)


_BEFORE_START: Mapping[str, Handler] = {
    "Cancelled": end.on_cancelled,
    "timer:join": opening.on_join_over,
    "stop_order": end.on_stop,
    "training_failed": end.on_failed_before_start,
}
_CHAT: Mapping[str, Handler] = {
    "participant_dropped": end.noted("participant_dropped"),
    "complaint": end.noted("complaint"),
}

TABLE: Table = {
    "ordered": {
        "training_order": opening.on_order,
        "Opened": opening.on_opened,
        "refused:open": end.on_open_refused,
        "timer:open": opening.on_opening_late,
    },
    "opened": {
        **_BEFORE_START,
        "request_answer": opening.on_request_answer,
        "timer:answer": opening.on_silence_before_start,
        "Joined": opening.on_joined,
        "training_gone": end.on_gone,
    },
    "initiated": {
        **_BEFORE_START,
        "request_answer": opening.on_request_answer,
        "Joined": opening.on_joined,
        "RolesDrawn": opening.on_roles_drawn,
        "training_gone": end.on_gone,
    },
    "running": {
        **_CHAT,
        "training_started": rounds.on_training_started,
        "refresh_request": rounds.unless_stopped(rounds.on_refresh_request),
        "noisy_metric": rounds.unless_stopped(rounds.on_noisy_metric),
        "opening_request": rounds.unless_stopped(rounds.on_opening_request),
        "RoundRecorded": rounds.on_round_recorded,
        "Settled": end.on_settled,
        "Cancelled": end.on_cancelled,
        "timer:stalled": end.on_stalled,
        "refused:settle": on_settle_refused,
        "training_gone": end.on_gone,
        "stop_order": end.on_stop,
        "training_failed": end.on_failed_notice,
        "round_completed": end.noted("round_completed"),
    },
    "collecting": {"trained_model": end.on_trained_model, "timer:model": end.on_model_late},
    "finished": {"trained_model": end.on_model_again},
    "failed": {},
}
MACHINE: Machine[BuyerState] = Machine("model_buyer", PHASES, TABLE)
