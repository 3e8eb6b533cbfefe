"""The federated aggregator: brings a training together, averages what it cannot read, relays what others check."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from protocol.crypto.opening import Opening as OpenedCiphertext
from protocol.crypto.opening import verify_opening
from protocol.crypto.fixed_point import encode
from protocol.crypto.validation import verify_public_key
from protocol.errors import WidthError
from protocol.learning.scales import MODEL_SCALE
from protocol.marketplace import (
    Cancel,
    Cancelled,
    Close,
    Closed,
    Draw,
    Joined,
    Opened,
    RolesDrawn,
    RoundRecorded,
    Settle,
    Settled,
    Withdraw,
)
from protocol.messages import (
    Contribution,
    Invitation,
    InvitationAnswer,
    RequestAnswer,
    RoundCompleted,
    RowCount,
    TrainedModel,
    TrainingFailed,
    TrainingRequest,
    TrainingStarted,
)
from protocol.request import Request, StartTraining
from protocol.roles import aggregator_evaluation as evaluation
from protocol.roles import aggregator_training as training
from protocol.roles.aggregator_state import AggregatorState
from protocol.roles.inputs import (
    CancelTimer,
    Context,
    Effect,
    EventConfirmed,
    Input,
    MessageReceived,
    NoteFact,
    SetTimer,
    Step,
    StoreBlob,
    SubmitCall,
)
from protocol.roles.machine import (
    Handler,
    Machine,
    Received,
    Table,
    changed,
    effects_of,
    message,
    require,
    store,
)
from protocol.roles.training import check_widths, require_sender, training_widths
from protocol.vectors import EncryptedVector

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


# ---- requested ----


def _on_opened(state: AggregatorState, event: Opened, context: Context) -> _Step:
    require(event.aggregator == context.address, "not_mine")
    require(state.opened is None, "opened_twice")
    return _consider(changed(state, opened=event), context)


def _on_training_request(state: AggregatorState, received: Received, context: Context) -> _Step:
    require(state.request is None, "requested_twice")
    body: TrainingRequest = received.body
    request = body.request
    require(request.aggregator == context.address, "not_mine")
    if state.opened is not None:
        require_sender(received.sender, state.opened.buyer)
    code = _refusal(request, body, context)
    if code is not None:
        answer = message(context, received.sender, RequestAnswer(accepted=False, code=code))
        refused = changed(state, phase="failed", failure=code)
        return Step(refused, (answer, NoteFact(name="request_refused", data={"code": code})))
    stored, blob = store(body.initial_model)
    requested = changed(
        state,
        request=request,
        n=int(body.public_key),
        public_key_proof=body.key_proof,
        initial_model=stored,
        next_model=stored,
        blinding_seed=context.randomness("blinding base").bytes(32),
        parties=state.parties,
        failure=None,
        link=None,
    )
    step = _consider(changed(requested, answers=((received.sender, 0),)), context)
    return Step(step.state, (blob, *step.effects))


def _refusal(request: Request, body: TrainingRequest, context: Context) -> str | None:
    """The code of the reason not to take this request, or None."""
    if isinstance(request.start, StartTraining):
        return "continuation_not_supported"
    try:
        check_widths(request)
    except WidthError:
        return "widths_do_not_fit"
    key = verify_public_key(
        int(body.public_key), list(body.key_proof), request.key_bits, context.least_key_bits
    )
    model = body.initial_model.read(key, scale=MODEL_SCALE, count=request.parameters)
    weights = encode([float(weight) for weight in request.start_weights()], MODEL_SCALE)
    if len(body.opening) != len(model):
        return "initial_model_not_opened"
    for ciphertext, root, weight in zip(model, body.opening, weights, strict=True):
        # An untrained model is no secret; a hidden one, far out of range, would read data out of one opened metric.
        if root.plaintext != weight % int(key.n):
            return "initial_model_differs"
        if not verify_opening(key, ciphertext, OpenedCiphertext(root.plaintext, root.root)):
            return "initial_model_not_opened"
    return None


def _consider(state: AggregatorState, context: Context) -> _Step:
    """Invite once the confirmed opening and the request agree."""
    if state.opened is None or state.request is None:
        return Step(state)
    request = state.request
    buyer = state.opened.buyer
    agrees = (
        state.opened.terms == request.terms()
        and state.opened.deposit == request.payment.deposit_wei
        and state.answers[0][0] == buyer
    )
    if not agrees:
        answer = message(context, state.answers[0][0], RequestAnswer(accepted=False, code="terms_differ"))
        return Step(changed(state, phase="failed", failure="terms_differ"), (answer,))
    join_until = int(context.now) + request.deadlines.join_s
    invitation = Invitation(
        request=request, public_key=state.n, key_proof=state.public_key_proof, join_until=join_until
    )
    owners = [owner for owner in context.announced if owner != buyer]
    invitations = [message(context, owner, invitation) for owner in owners]
    return Step(
        changed(state, phase="inviting", answers=()),
        effects_of(
            message(context, buyer, RequestAnswer(accepted=True, code="accepted")),
            invitations,
            SetTimer(name="join", seconds=float(request.deadlines.join_s)),
            NoteFact(name="invited", data={"owners": len(owners)}),
        ),
    )


# ---- inviting and drawing ----


def _on_invitation_answer(state: AggregatorState, received: Received, context: Context) -> _Step:
    require(received.sender in context.announced, "not_admitted")
    body: InvitationAnswer = received.body
    if body.decision == "accepted":
        require(body.rows >= _request(state).bounds.min_rows, "too_few_rows")
        if received.sender not in dict(state.answers):
            state = changed(state, answers=(*state.answers, (received.sender, body.rows)))
    fact = NoteFact(name="owner_answered", data={"owner": received.sender, "decision": body.decision})
    if state.phase == "drawing":
        started = _start(state, context)
        return Step(started.state.model_copy(), (fact, *started.effects))
    closing = _close_when_all_joined(state, context)
    return Step(closing.state.model_copy(), (fact, *closing.effects))


def _on_joined(state: AggregatorState, event: Joined, context: Context) -> _Step:
    require(event.seat == len(state.parties.seats), "seat_out_of_order")
    parties = changed(state.parties, seats=(*state.parties.seats, event.owner))
    return _close_when_all_joined(changed(state, parties=parties), context)


def _close_when_all_joined(state: AggregatorState, context: Context) -> _Step:
    """Close early when nobody is left to wait for: the maximum, or every admitted owner, has joined."""
    request = _request(state)
    seats = len(state.parties.seats)
    everybody = seats >= request.owners.maximum or set(context.announced) <= set(state.parties.seats)
    if state.closing or seats < request.owners.minimum or not everybody:
        return Step(state)
    return _close(state)


def _on_join_over(state: AggregatorState, _argument: str, _context: Context) -> _Step:
    if state.closing:
        return Step(state.model_copy())
    if len(state.parties.seats) < _request(state).owners.minimum:
        failed = changed(state, failure="not_enough_owners")
        return Step(failed, (SubmitCall(call=Cancel(training=state.training)),))
    return _close(state)


def _close(state: AggregatorState) -> _Step:
    call = SubmitCall(call=Close(training=state.training))
    return Step(changed(state, closing=True), (call, CancelTimer(name="join")))


def _on_closed(state: AggregatorState, _event: Closed, _context: Context) -> _Step:
    draw = SubmitCall(call=Draw(training=state.training))
    return Step(changed(state, phase="drawing"), (draw,))


def _on_roles_drawn(state: AggregatorState, event: RolesDrawn, context: Context) -> _Step:
    parties = changed(state.parties, trainers=event.trainers, validators=event.validators)
    return _start(changed(state, parties=parties), context)


def _start(state: AggregatorState, context: Context) -> _Step:
    """Start once the roles are drawn and every seat has said how many rows it has."""
    parties, request = state.parties, _request(state)
    rows = dict(state.answers)
    if not parties.trainers or any(seat not in rows for seat in parties.seats):
        return Step(state)
    counts = tuple(RowCount(owner=owner, rows=rows[owner]) for owner in parties.seats)
    parties = changed(parties, rows=counts)
    training_widths(request, parties)
    body = TrainingStarted(
        trainers=parties.addresses(parties.trainers),
        validators=parties.addresses(parties.validators),
        rows=counts,
    )
    assert state.opened is not None
    told = [message(context, one, body) for one in (state.opened.buyer, *parties.seats)]
    started = changed(
        state,
        phase="training",
        parties=parties,
        link=training.first_link(state, context),
    )
    fact = NoteFact(name="started", data={"trainers": len(body.trainers), "validators": len(body.validators)})
    step = advance(started, context)
    return Step(step.state, effects_of(tuple(told), fact, step.effects))


# ---- training ----


def advance(state: AggregatorState, context: Context) -> _Step:
    """Start whatever can start: measuring the round that waits, training at most one round ahead of it."""
    measured = evaluation.start_next(state, context)
    trained = training.start_next(measured.state, context)
    return Step(trained.state, measured.effects + trained.effects)


def _advancing(handler: Handler) -> Handler:
    """Every lane handler may free the other lane."""

    def handle(state: AggregatorState, content: Any, context: Context) -> _Step:
        step = handler(state, content, context)
        more = advance(step.state, _seeing(context, step.effects))
        return Step(more.state, step.effects + more.effects)

    return handle


def _seeing(context: Context, effects: tuple[Effect, ...]) -> Context:
    fresh = {effect.digest: effect.content for effect in effects if isinstance(effect, StoreBlob)}
    return replace(context, blobs={**context.blobs, **fresh})


def _on_round_recorded(state: AggregatorState, event: RoundRecorded, context: Context) -> _Step:
    require(event.round == state.recorded + 1, "round_out_of_order")
    parties = state.parties
    trainers = parties.addresses(event.record.trainers)
    body = RoundCompleted(
        v0=event.record.mse_before,
        mse_after=event.mse_after,
        own=event.record.own,
        cross=event.record.cross,
        contributions=tuple(
            Contribution(trainer=trainer, shapley=shapley, pay_weight=weight)
            for trainer, shapley, weight in zip(trainers, event.shapley, event.pay_weights, strict=True)
        ),
        last=event.record.last,
    )
    assert state.opened is not None
    told = [message(context, one, body, (event.round, 0)) for one in (state.opened.buyer, *parties.seats)]
    kept = tuple(model for model in state.signed_models if model.round >= event.round)
    recorded = changed(state, recorded=event.round, signed_models=kept, last_recorded=event.record.last)
    if event.record.last:
        settle = SubmitCall(call=Settle(training=state.training))
        return Step(changed(recorded, phase="settling"), effects_of(told, settle))
    return Step(recorded, tuple(told))


def _on_round_recorded_late(state: AggregatorState, event: RoundRecorded, _context: Context) -> _Step:
    return Step(changed(state, recorded=event.round, last_recorded=event.record.last))


def _on_settled(state: AggregatorState, _event: Settled, context: Context) -> _Step:
    """The contract has paid: only now does the buyer get the model of the last recorded round."""
    assert state.opened is not None
    withdraw = SubmitCall(call=Withdraw())
    model = next((one for one in state.signed_models if one.round == state.recorded), None)
    if not state.last_recorded or model is None:
        return Step(changed(state, phase="failed", failure=state.failure or "stopped_early"), (withdraw,))
    body = TrainedModel(model=model.model.load(EncryptedVector, context))
    sent = message(context, state.opened.buyer, body)
    return Step(changed(state, phase="settling"), (sent, withdraw))


def _on_model_received(state: AggregatorState, received: Received, _context: Context) -> _Step:
    assert state.opened is not None
    require_sender(received.sender, state.opened.buyer)
    return Step(changed(state, phase="done", next_model=None, trained=None, signed_models=()))


def _on_cancelled(state: AggregatorState, _event: Cancelled, context: Context) -> _Step:
    code = state.failure or "cancelled"
    assert state.opened is not None
    told = [
        message(context, one, TrainingFailed(code=code, fault=None, last_round=state.recorded))
        for one in (state.opened.buyer, *state.parties.seats)
    ]
    return Step(changed(state, phase="failed", failure=code), effects_of(told, CancelTimer(name="join")))


def _on_stop(state: AggregatorState, order: Received, context: Context) -> _Step:
    require_sender(order.sender, context.address)
    return training.give_up(state, "stopped_by_aggregator", None, context)


def _request(state: AggregatorState) -> Request:
    assert state.request is not None
    return state.request


_JOINING: Mapping[str, Handler] = {
    "Joined": _on_joined,
    "invitation_answer": _on_invitation_answer,
    "timer:join": _on_join_over,
    "Cancelled": _on_cancelled,
}
TABLE: Table = {
    "requested": {"Opened": _on_opened, "training_request": _on_training_request, "Cancelled": _on_cancelled},
    "inviting": {**_JOINING, "Closed": _on_closed},
    "drawing": {
        "RolesDrawn": _on_roles_drawn,
        "Closed": _on_closed,
        "invitation_answer": _on_invitation_answer,
        "Cancelled": _on_cancelled,
    },
    "training": {
        "gradient_update": _advancing(training.on_gradient_update),
        "timer:updates": _advancing(training.on_updates_late),
        "refresh_answer": _advancing(training.on_refresh_answer),
        "timer:refresh": training.on_refresh_late,
        "encrypted_metric": _advancing(evaluation.on_encrypted_metric),
        "timer:metrics": _advancing(evaluation.on_metrics_late),
        "opening": _advancing(evaluation.on_opening),
        "opening_refused": evaluation.on_opening_refused,
        "timer:opening": evaluation.on_opening_late,
        "round_signature": _advancing(evaluation.on_round_signature),
        "timer:signatures": evaluation.on_signatures_late,
        "RoundRecorded": _on_round_recorded,
        "Settled": _on_settled,
        "Cancelled": _on_cancelled,
        "stop_order": _on_stop,
    },
    "settling": {"Settled": _on_settled, "model_received": _on_model_received},
    "ending": {
        "timer:end": training.on_end,
        "Settled": _on_settled,
        "Cancelled": _on_cancelled,
        "RoundRecorded": _on_round_recorded_late,
    },
    "done": {},
    "failed": {},
}
MACHINE: Machine[AggregatorState] = Machine("federated_aggregator", PHASES, TABLE)
