"""Between joining and the first round: nonces are revealed, roles drawn, the last row counts come in."""

from protocol.marketplace import Closed, Revealed, RolesDrawn
from protocol.messages import OwnerReady, ParticipantDropped, RowCount, TrainingStarted
from protocol.roles.aggregator.attendance import drop_notices
from protocol.roles.aggregator.ending import give_up, stall_timer
from protocol.roles.aggregator.joining import admitted_owners
from protocol.roles.aggregator.state import (
    DrawingState,
    EndingState,
    InvitingState,
    PreparedState,
    TrainingState,
    chain_seconds,
    contract_ends_at,
)
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import Effect, SubmitCall, effects_of
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import enter, replace
from protocol.roles.shared.bonds import note_bond
from protocol.roles.shared.drawing import draw_call, draw_timer, reveal_until
from protocol.roles.shared.exchange_keys import seats_with_keys
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.request_widths import LARGEST_ROW_COUNT
from protocol.roles.shared.transcript import TranscriptHead
from protocol.vectors import EncryptedVector

Started = DrawingState | TrainingState | EndingState
"""Still waiting, or started, or given up at once."""


def on_closed(state: InvitingState, _event: Closed, context: Context) -> Step[DrawingState]:
    """The joining is over: owners reveal their nonces, and then the roles are drawn."""
    terms = state.opened.terms
    until = reveal_until(terms, context)
    drawing = enter(DrawingState, state, failure=None, ends_at=contract_ends_at(state.opened, until))
    wait = draw_timer(drawing.parties, terms, until, context, 0.0)
    # Noted with the call as well, which a store that came back from before it does not know of.
    bond = note_bond(state.training, terms, terms.aggregator_bond)
    return Step(drawing, effects_of(timers.JOIN.cancel(), wait, bond))


def on_revealed(state: DrawingState, event: Revealed, _context: Context) -> Step[DrawingState]:
    """An owner keeps its seat; with the last one the roles can be drawn."""
    revealed = replace(state, parties=state.parties.with_reveal(event))
    return Step(revealed, _draw(revealed) if revealed.parties.all_revealed else ())


def on_draw_due(state: DrawingState, _about: None, _context: Context) -> Step[DrawingState]:
    """Nobody can reveal any more, or the chain shows no draw yet: ask for it, again and again."""
    return Step.unchanged(state) if state.parties.drawn else Step.unchanged(state, *_draw(state))


def _draw(state: DrawingState) -> tuple[Effect, ...]:
    call = draw_call(state.training, state.parties, state.opened.terms)
    return SubmitCall(call=call), timers.DRAW.set(chain_seconds(state))


def on_roles_drawn(state: DrawingState, event: RolesDrawn, context: Context) -> Step[Started]:
    """Start with the roles that the contract drew, once every owner with a seat is ready."""
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    drawn = replace(state, parties=parties)
    waits = (timers.DRAW.cancel(), stall_timer(drawn, context))
    if _awaits_row_counts(drawn, context):
        return Step(drawn, (*waits, timers.ROWS.set(drawn.step_seconds)))
    started = _start(drawn, context)
    return Step(started.state, (*waits, *started.effects))


def on_owner_ready(state: DrawingState, received: Received[OwnerReady], context: Context) -> Step[Started]:
    """Keep the row count of an admitted owner with a seat, and start with the last that is due."""
    answered = _with_rows(state, received.sender, received.body.rows, context)
    return Step(answered) if _awaits_row_counts(answered, context) else _start(answered, context)


def _with_rows(state: DrawingState, owner: str, rows: int, context: Context) -> DrawingState:
    require_seat(state, owner, context)
    require(rows >= state.request.bounds.min_rows, "too_few_rows")
    # The widths were checked for so many rows in all: one owner's boast must not make them overflow.
    require(rows <= LARGEST_ROW_COUNT // state.request.owners.maximum, "too_many_rows")
    if owner in dict(state.answers):
        return state
    return replace(state, answers=(*state.answers, (owner, rows)))


def require_seat(state: PreparedState, owner: str, context: Context) -> None:
    """Raise ProtocolViolation unless it is an admitted owner that has joined."""
    require(owner in admitted_owners(state, context), "not_admitted")
    state.parties.seat_of(owner)


def on_late_ready(
    state: TrainingState, received: Received[OwnerReady], context: Context
) -> Step[TrainingState]:
    """Tell an owner that would take part that the training has started without it."""
    owner = received.sender
    require_seat(state, owner, context)
    if owner in dict(state.answers):
        return Step.unchanged(state)
    notice = ParticipantDropped(participant=owner, from_round=1, code="answered_too_late")
    label = received.envelope.message_id.hex()
    sent = message(context, owner, notice, (1, 0), label=label)
    return Step.unchanged(state, sent, facts.ANSWERED_TOO_LATE.of(owner=owner))


def on_rows_late(state: DrawingState, _about: None, context: Context) -> Step[Started]:
    """An owner joined on chain and never said how many rows it has: it is left out."""
    return _start(state, context) if state.parties.drawn else Step.unchanged(state)


def _awaits_row_counts(state: DrawingState, context: Context) -> bool:
    """Whether roles are still to be drawn, or an admitted owner with a role to say how many rows it has."""
    awaited = admitted_owners(state, context) & set(state.parties.taking_part())
    return not state.parties.drawn or not awaited <= set(dict(state.answers))


def _start(state: DrawingState, context: Context) -> Step[TrainingState | EndingState]:
    """Start without the seats of owners that are not admitted, never answered or have no key of their own.

    Anyone can join on chain, with any key.
    """
    training = _first_round(state, context)
    parties, dropped = training.parties, training.dropped
    silent = silent_seats(parties, dict(state.answers))
    if (parties.validators & ~dropped).bit_count() < parties.quorum:
        return give_up(training, "too_few_validators", context, silent=silent & parties.validators)
    body = TrainingStarted(
        trainers=parties.addresses(parties.trainers),
        validators=parties.addresses(parties.validators),
        rows=parties.rows,
    )
    effects = effects_of(
        [message(context, recipient, body) for recipient in training.everybody()],
        facts.STARTED.of(trainers=len(body.trainers), validators=len(body.validators)),
        timers.ROWS.cancel(),
        drop_notices(training, silent, (1, 0), "no_row_count", context),
        drop_notices(training, dropped & ~silent, (1, 0), "unusable_exchange_key", context),
    )
    return Step(training, effects)


def _first_round(state: DrawingState, context: Context) -> TrainingState:
    part = state.parties.taking_part()
    rows = {owner: count for owner, count in state.answers if owner in part}
    counts = tuple(RowCount(owner=owner, rows=rows.get(owner, 0)) for owner in state.parties.seats)
    parties = replace(state.parties, rows=counts)
    return enter(
        TrainingState,
        state,
        parties=parties,
        dropped=silent_seats(parties, rows) | parties.drawn & ~seats_with_keys(parties, context),
        link=first_link(state, context),
        next_model=state.initial_model,
    )


def silent_seats(parties: Parties, rows: dict[str, int]) -> int:
    """The drawn seats that have not said how many rows they have."""
    return parties.mask(tuple(owner for owner in parties.taking_part() if owner not in rows))


def first_link(state: DrawingState, context: Context) -> TranscriptHead:
    """The chain of rounds before the first."""
    model = state.initial_model.load(EncryptedVector, context)
    return TranscriptHead(model_digest=model.digest(), transcript=state.request.hash())
