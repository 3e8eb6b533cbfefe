"""Between joining and the first round: roles are drawn on chain, the last row counts come in."""

from protocol.marketplace import Closed, Draw, RolesDrawn
from protocol.messages import OwnerReady, ParticipantDropped, RowCount, TrainingStarted
from protocol.roles.aggregator.attendance import drop_notices
from protocol.roles.aggregator.ending import give_up, stall_timer
from protocol.roles.aggregator.joining import admitted_owners
from protocol.roles.aggregator.state import (
    DrawingState,
    EndingState,
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
from protocol.roles.shared.exchange_keys import seats_with_keys
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.request_widths import LARGEST_ROW_COUNT
from protocol.roles.shared.transcript import TranscriptHead
from protocol.vectors import EncryptedVector

Started = DrawingState | TrainingState | EndingState
"""Still waiting, or started, or given up at once."""


def on_closed(state: PreparedState, _event: Closed, context: Context) -> Step[DrawingState]:
    """The block that draws the roles is fixed: have them drawn."""
    ends_at = contract_ends_at(state.opened, context)
    if isinstance(state, DrawingState):  # another closing does not prolong the contract's wait
        ends_at = state.ends_at
    drawing = enter(DrawingState, state, failure=None, ends_at=ends_at)
    return Step(drawing, (timers.JOIN.cancel(), *_draw(drawing)))


def on_draw_late(state: DrawingState, _about: None, _context: Context) -> Step[DrawingState]:
    """The chain shows no draw: ask again; where the block's hash is gone, the call fixes another block."""
    return Step.unchanged(state) if state.parties.trainers else Step.unchanged(state, *_draw(state))


def _draw(state: DrawingState) -> tuple[Effect, ...]:
    return SubmitCall(call=Draw(training=state.training)), timers.DRAW.set(chain_seconds(state))


def on_roles_drawn(state: DrawingState, event: RolesDrawn, context: Context) -> Step[Started]:
    """Start with the roles that the contract drew, once every owner with a seat is ready."""
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    drawn = replace(state, parties=parties)
    waits = (timers.DRAW.cancel(), stall_timer(drawn))
    if _awaits_row_counts(drawn, context):
        return Step(drawn, (*waits, timers.ROWS.set(drawn.step_seconds)))
    started = _start(drawn, context)
    return Step(started.state, (*waits, *started.effects))


def on_owner_ready(state: DrawingState, received: Received[OwnerReady], context: Context) -> Step[Started]:
    """Keep the row count of an admitted owner with a seat, and start with the last that is due."""
    answered = _with_rows(state, received.sender, received.body.rows, context)
    return Step(answered) if _awaits_row_counts(answered, context) else _start(answered, context)


def _with_rows(state: DrawingState, owner: str, rows: int, context: Context) -> DrawingState:
    _require_seat(state, owner, context)
    require(rows >= state.request.bounds.min_rows, "too_few_rows")
    # The widths were checked for so many rows in all: one owner's boast must not make them overflow.
    require(rows <= LARGEST_ROW_COUNT // state.request.owners.maximum, "too_many_rows")
    if owner in dict(state.answers):
        return state
    return replace(state, answers=(*state.answers, (owner, rows)))


def _require_seat(state: PreparedState, owner: str, context: Context) -> None:
    require(owner in admitted_owners(state, context), "not_admitted")
    state.parties.seat_of(owner)


def on_late_ready(
    state: TrainingState, received: Received[OwnerReady], context: Context
) -> Step[TrainingState]:
    """Tell an owner that would take part that the training has started without it."""
    owner = received.sender
    _require_seat(state, owner, context)
    if owner in dict(state.answers):
        return Step.unchanged(state)
    notice = ParticipantDropped(participant=owner, from_round=1, code="answered_too_late")
    label = received.envelope.message_id.hex()
    sent = message(context, owner, notice, (1, 0), label=label)
    return Step.unchanged(state, sent, facts.ANSWERED_TOO_LATE.of(owner=owner))


def on_rows_late(state: DrawingState, _about: None, context: Context) -> Step[Started]:
    """An owner joined on chain and never said how many rows it has: it is left out."""
    return _start(state, context) if state.parties.trainers else Step.unchanged(state)


def _awaits_row_counts(state: DrawingState, context: Context) -> bool:
    """Whether roles are still to be drawn, or an admitted owner with a seat to say how many rows it has."""
    awaited = admitted_owners(state, context) & set(state.parties.seats)
    return not state.parties.trainers or not awaited <= set(dict(state.answers))


def _start(state: DrawingState, context: Context) -> Step[TrainingState | EndingState]:
    """Start without the seats of owners that are not admitted, never answered or have no key of their own.

    Anyone can join on chain, with any key.
    """
    training = _first_round(state, context)
    parties, dropped = training.parties, training.dropped
    silent = _silent_seats(parties, dict(state.answers))
    if (parties.validators & ~dropped).bit_count() < parties.quorum:
        return give_up(training, "too_few_validators", context)
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
    rows = dict(state.answers)
    counts = tuple(RowCount(owner=owner, rows=rows.get(owner, 0)) for owner in state.parties.seats)
    parties = replace(state.parties, rows=counts)
    return enter(
        TrainingState,
        state,
        parties=parties,
        dropped=_silent_seats(parties, rows) | parties.all_seats() & ~seats_with_keys(parties, context),
        link=_first_link(state, context),
        next_model=state.initial_model,
    )


def _silent_seats(parties: Parties, rows: dict[str, int]) -> int:
    return parties.mask(tuple(owner for owner in parties.seats if owner not in rows))


def _first_link(state: DrawingState, context: Context) -> TranscriptHead:
    """The chain of rounds before the first."""
    model = state.initial_model.load(EncryptedVector, context)
    return TranscriptHead(model_digest=model.digest(), transcript=state.request.hash())
