"""The aggregator before the first round: it checks the request, invites owners, has roles drawn."""

from protocol.crypto.cipher import Opening as OpenedCiphertext
from protocol.crypto.cipher import PublicKey, verify_opening, verify_public_key
from protocol.crypto.fixed_point import encode
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
    ParticipantDropped,
    RequestAnswer,
    RowCount,
    TrainingRequest,
    TrainingStarted,
)
from protocol.request import Request, StartTraining
from protocol.roles.aggregator import settlement as ending
from protocol.roles.aggregator.attendance import drop_notices
from protocol.roles.aggregator.pipeline import advance
from protocol.roles.aggregator.state import AggregatorState, chain_seconds, ends_later, first_link, request_of
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import CancelTimer, Effect, RecordFact, SetTimer, SubmitCall, effects_of
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.engine.untyped import Received
from protocol.roles.shared.parties import require_sender
from protocol.roles.shared.request_widths import LARGEST_ROW_COUNT, check_widths

_Step = Step[AggregatorState]


def on_opened(state: AggregatorState, event: Opened, context: Context) -> _Step:
    """The deposit is on chain; the request is due before the joining is over."""
    require(event.aggregator == context.address, "not_mine")
    require(state.opened is None, "opened_twice")
    wait = SetTimer(name="request", seconds=float(event.terms.join_seconds + 1))
    return Step(replace(state, opened=event), (CancelTimer(name="opened"), wait))


def on_never_opened(state: AggregatorState, _argument: str, _context: Context) -> _Step:
    """A request that no opening on chain has followed."""
    return Step(replace(state, phase="failed", failure="never_opened"))


def on_request_late(state: AggregatorState, _argument: str, context: Context) -> _Step:
    """The buyer has opened a training and says nothing: nobody was invited, so its deposit goes back."""
    return ending.give_up(state, "no_request", None, context)


def on_training_request(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Invite when all that the buyer sent is as the chain says; a fault is answered with its code.

    Before the opening is confirmed anyone could claim to be the buyer: a request that comes early is held.
    """
    if state.opened is None:
        raise EarlyInput
    require_sender(received.sender, state.opened.buyer)
    body: TrainingRequest = received.body
    request = body.request
    require(request.aggregator == context.address, "not_mine")
    code = _refusal(state.opened, request, body, context)
    if code is not None:
        answer = message(context, received.sender, RequestAnswer(accepted=False, code=code))
        refused = replace(state, phase="failed", failure=code)
        fact = RecordFact(name="request_refused", data={"code": code})
        return Step(refused, (answer, fact, CancelTimer(name="request")))
    stored, blob = store(body.initial_model)
    inviting = replace(
        state,
        phase="inviting",
        request=request,
        n=int(body.public_key),
        public_key_proof=body.key_proof,
        initial_model=stored,
        next_model=stored,
        blinding_seed=context.randomness("blinding base").bytes(32),
    )
    return Step(inviting, effects_of(blob, _invite(state.opened.buyer, request, body, context)))


def _refusal(opened: Opened, request: Request, body: TrainingRequest, context: Context) -> str | None:
    """The code of the reason not to take this request, or None."""
    if opened.terms != request.terms() or opened.deposit != request.payment.deposit_wei:
        return "terms_differ"
    if isinstance(request.start, StartTraining):
        return "continuation_not_supported"
    try:
        check_widths(request)
    except WidthError:
        return "widths_do_not_fit"
    key = verify_public_key(
        int(body.public_key), list(body.key_proof), request.key_bits, context.least_key_bits
    )
    return _initial_model_refusal(request, body, key)


def _initial_model_refusal(request: Request, body: TrainingRequest, key: PublicKey) -> str | None:
    """An untrained model is no secret. A hidden one, far out of range, would read data out of one metric."""
    model = body.initial_model.read(key, scale=MODEL_SCALE, count=request.parameters)
    weights = encode([float(weight) for weight in request.start_weights()], MODEL_SCALE)
    if len(body.opening) != len(model):
        return "initial_model_not_opened"
    for ciphertext, root, weight in zip(model, body.opening, weights, strict=True):
        if root.plaintext != weight % int(key.n):
            return "initial_model_differs"
        if not verify_opening(key, ciphertext, OpenedCiphertext(root.plaintext, root.root)):
            return "initial_model_not_opened"
    return None


def _invite(buyer: str, request: Request, body: TrainingRequest, context: Context) -> tuple[Effect, ...]:
    """Take the request on and invite every admitted owner but the buyer itself."""
    invitation = Invitation(
        request=request,
        public_key=body.public_key,
        key_proof=body.key_proof,
        join_until=int(context.now) + request.deadlines.join_s,
    )
    owners = [owner for owner in context.announced if owner != buyer]
    return effects_of(
        message(context, buyer, RequestAnswer(accepted=True, code="accepted")),
        [message(context, owner, invitation) for owner in owners],
        CancelTimer(name="request"),
        SetTimer(name="join", seconds=float(request.deadlines.join_s)),
        RecordFact(name="invited", data={"owners": len(owners)}),
    )


def on_invitation_answer(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Keep the row count of an admitted owner that accepts."""
    require(received.sender in _admitted(state, context), "not_admitted")
    body: InvitationAnswer = received.body
    if body.decision == "accepted":
        request = request_of(state)
        require(body.rows >= request.bounds.min_rows, "too_few_rows")
        # The widths were checked for so many rows in all: one owner's boast must not make them overflow.
        require(body.rows <= LARGEST_ROW_COUNT // request.owners.maximum, "too_many_rows")
        if received.sender not in dict(state.answers):
            state = replace(state, answers=(*state.answers, (received.sender, body.rows)))
    fact = RecordFact(name="owner_answered", data={"owner": received.sender, "decision": body.decision})
    if state.phase == "drawing":
        started = _start_when_counted(state, context)
        return Step(started.state.model_copy(), (fact, *started.effects))
    closing = _close_when_all_joined(state, context)
    return Step(closing.state.model_copy(), (fact, *closing.effects))


def on_late_answer(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Tell an owner that would take part that the training has started without it."""
    require(received.sender in _admitted(state, context), "not_admitted")
    body: InvitationAnswer = received.body
    if body.decision != "accepted" or received.sender in dict(state.answers):
        return Step(state)
    told = ParticipantDropped(participant=received.sender, from_round=1, code="answered_too_late")
    label = received.envelope.message_id.hex()
    fact = RecordFact(name="answered_too_late", data={"owner": received.sender})
    return Step(state.model_copy(), (message(context, received.sender, told, (1, 0), label=label), fact))


def _admitted(state: AggregatorState, context: Context) -> frozenset[str]:
    """Who may take part: never the buyer, who with ciphertexts in hand would see every model."""
    assert state.opened is not None
    return frozenset(context.announced) - {state.opened.buyer}


def on_joined(state: AggregatorState, event: Joined, context: Context) -> _Step:
    """Note the seat of an owner that joined."""
    require(event.seat == len(state.parties.seats), "seat_out_of_order")
    parties = replace(state.parties, seats=(*state.parties.seats, event.owner))
    return _close_when_all_joined(replace(state, parties=parties), context)


def _close_when_all_joined(state: AggregatorState, context: Context) -> _Step:
    """Close early when nobody is left to wait for: the maximum, or every admitted owner, has joined."""
    request = request_of(state)
    seats = len(state.parties.seats)
    everybody = seats >= request.owners.maximum or _admitted(state, context) <= set(state.parties.seats)
    if state.closing or seats < request.owners.minimum or not everybody:
        return Step(state)
    return _close(state)


def on_join_over(state: AggregatorState, _argument: str, _context: Context) -> _Step:
    """Close the joining, or cancel below the minimum, again until the chain shows one or the other."""
    if not state.closing and len(state.parties.seats) < request_of(state).owners.minimum:
        failed = replace(state, failure="not_enough_owners")
        return Step(failed, (SubmitCall(call=Cancel(training=state.training)), _join_again(state)))
    return _close(state)


def _close(state: AggregatorState) -> _Step:
    call = SubmitCall(call=Close(training=state.training))
    return Step(replace(state, closing=True), (call, _join_again(state)))


def _join_again(state: AggregatorState) -> SetTimer:
    return SetTimer(name="join", seconds=chain_seconds(state))


def on_closed(state: AggregatorState, _event: Closed, context: Context) -> _Step:
    """The block that draws the roles is fixed: have them drawn."""
    drawing = replace(
        state, phase="drawing", closing=True, closed=True, failure=None, **ends_later(state, context)
    )
    return Step(drawing, (CancelTimer(name="join"), *_draw(state)))


def on_draw_late(state: AggregatorState, _argument: str, _context: Context) -> _Step:
    """The chain shows no draw: ask again; where the block's hash is gone, the call fixes another block."""
    return Step(state) if state.parties.trainers else Step(state.model_copy(), _draw(state))


def _draw(state: AggregatorState) -> tuple[Effect, ...]:
    again = SetTimer(name="draw", seconds=chain_seconds(state))
    return SubmitCall(call=Draw(training=state.training)), again


def on_roles_drawn(state: AggregatorState, event: RolesDrawn, context: Context) -> _Step:
    """Start with the roles that the contract drew, or wait for the row counts that are still under way."""
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    drawn = replace(state, parties=parties, **ends_later(state, context))
    timers = (CancelTimer(name="draw"), ending.stall_timer(state))
    step = _start_when_counted(drawn, context)
    if step.state.phase != "drawing":
        return Step(step.state, (*timers, *step.effects))
    rows = SetTimer(name="rows", seconds=float(request_of(state).deadlines.step_s))
    return Step(drawn, (*timers, rows))


def on_rows_late(state: AggregatorState, _argument: str, context: Context) -> _Step:
    """An owner joined on chain and never said how many rows it has: it is left out."""
    return _start(state, context) if state.parties.trainers else Step(state)


def _start_when_counted(state: AggregatorState, context: Context) -> _Step:
    """Start once the roles are drawn and every admitted owner with a seat has said how many rows it has."""
    awaited = _admitted(state, context) & set(state.parties.seats)
    if not state.parties.trainers or not awaited <= set(dict(state.answers)):
        return Step(state)
    return _start(state, context)


def _start(state: AggregatorState, context: Context) -> _Step:
    """Start without the seats of owners that are not admitted or never answered; anyone can join on chain."""
    rows = dict(state.answers)
    counts = tuple(RowCount(owner=owner, rows=rows.get(owner, 0)) for owner in state.parties.seats)
    parties = replace(state.parties, rows=counts)
    absent = parties.mask(tuple(owner for owner in parties.seats if owner not in rows))
    started = replace(
        state,
        phase="training",
        parties=parties,
        dropped=absent,
        link=first_link(state, context),
    )
    if (parties.validators & ~absent).bit_count() < 2:
        return ending.give_up(started, "too_few_validators", None, context)
    body = TrainingStarted(
        trainers=parties.addresses(parties.trainers),
        validators=parties.addresses(parties.validators),
        rows=counts,
    )
    assert state.opened is not None
    told = [message(context, one, body) for one in (state.opened.buyer, *parties.seats)]
    fact = RecordFact(
        name="started", data={"trainers": len(body.trainers), "validators": len(body.validators)}
    )
    without = drop_notices(started, absent, 1, "no_row_count", context)
    step = advance(started, context)
    return Step(step.state, effects_of(told, fact, CancelTimer(name="rows"), step.effects, without))
