"""The aggregator before the first round: it checks the request, invites owners, has roles drawn."""

from protocol.crypto.fixed_point import encode
from protocol.crypto.opening import Opening as OpenedCiphertext
from protocol.crypto.opening import verify_opening
from protocol.crypto.validation import verify_public_key
from protocol.errors import WidthError
from protocol.learning.scales import MODEL_SCALE
from protocol.marketplace import (
    Cancel,
    Close,
    Closed,
    Draw,
    Joined,
    Opened,
    RolesDrawn,
)
from protocol.messages import (
    Invitation,
    InvitationAnswer,
    RequestAnswer,
    RowCount,
    TrainingRequest,
    TrainingStarted,
)
from protocol.request import Request, StartTraining
from protocol.roles import aggregator_training as training
from protocol.roles.aggregator_lanes import advance
from protocol.roles.aggregator_state import AggregatorState, request_of
from protocol.roles.inputs import (
    CancelTimer,
    Context,
    NoteFact,
    SetTimer,
    Step,
    SubmitCall,
)
from protocol.roles.machine import (
    Received,
    changed,
    effects_of,
    message,
    require,
    store,
)
from protocol.roles.training import check_widths, require_sender, training_widths

_Step = Step[AggregatorState]


def on_opened(state: AggregatorState, event: Opened, context: Context) -> _Step:
    """The deposit is on chain."""
    require(event.aggregator == context.address, "not_mine")
    require(state.opened is None, "opened_twice")
    return _consider(changed(state, opened=event), context)


def on_training_request(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Check everything the buyer sent; a fault is answered with its code."""
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
        # An untrained model is no secret. A hidden one, far out of range, would read data out of one metric.
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


def on_invitation_answer(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Keep the row count of an admitted owner that accepts."""
    require(received.sender in context.announced, "not_admitted")
    body: InvitationAnswer = received.body
    if body.decision == "accepted":
        require(body.rows >= request_of(state).bounds.min_rows, "too_few_rows")
        if received.sender not in dict(state.answers):
            state = changed(state, answers=(*state.answers, (received.sender, body.rows)))
    fact = NoteFact(name="owner_answered", data={"owner": received.sender, "decision": body.decision})
    if state.phase == "drawing":
        started = _start(state, context)
        return Step(started.state.model_copy(), (fact, *started.effects))
    closing = _close_when_all_joined(state, context)
    return Step(closing.state.model_copy(), (fact, *closing.effects))


def on_joined(state: AggregatorState, event: Joined, context: Context) -> _Step:
    """Note the seat of an owner that joined."""
    require(event.seat == len(state.parties.seats), "seat_out_of_order")
    parties = changed(state.parties, seats=(*state.parties.seats, event.owner))
    return _close_when_all_joined(changed(state, parties=parties), context)


def _close_when_all_joined(state: AggregatorState, context: Context) -> _Step:
    """Close early when nobody is left to wait for: the maximum, or every admitted owner, has joined."""
    request = request_of(state)
    seats = len(state.parties.seats)
    everybody = seats >= request.owners.maximum or set(context.announced) <= set(state.parties.seats)
    if state.closing or seats < request.owners.minimum or not everybody:
        return Step(state)
    return _close(state)


def on_join_over(state: AggregatorState, _argument: str, _context: Context) -> _Step:
    """Close the joining, or cancel below the minimum."""
    if state.closing:
        return Step(state.model_copy())
    if len(state.parties.seats) < request_of(state).owners.minimum:
        failed = changed(state, failure="not_enough_owners")
        return Step(failed, (SubmitCall(call=Cancel(training=state.training)),))
    return _close(state)


def _close(state: AggregatorState) -> _Step:
    call = SubmitCall(call=Close(training=state.training))
    return Step(changed(state, closing=True), (call, CancelTimer(name="join")))


def on_closed(state: AggregatorState, _event: Closed, _context: Context) -> _Step:
    """The block that draws the roles is fixed: have them drawn."""
    draw = SubmitCall(call=Draw(training=state.training))
    return Step(changed(state, phase="drawing"), (draw,))


def on_roles_drawn(state: AggregatorState, event: RolesDrawn, context: Context) -> _Step:
    """Start with the roles that the contract drew."""
    parties = changed(state.parties, trainers=event.trainers, validators=event.validators)
    return _start(changed(state, parties=parties), context)


def _start(state: AggregatorState, context: Context) -> _Step:
    """Start once the roles are drawn and every seat has said how many rows it has."""
    parties, request = state.parties, request_of(state)
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
