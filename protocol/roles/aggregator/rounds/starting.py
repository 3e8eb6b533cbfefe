"""From the draw to the first round: every owner shows what it has committed to, and all are shown it."""

from protocol.errors import WidthError
from protocol.marketplace import RolesDrawn
from protocol.messages import ParticipantDropped
from protocol.messages.rounds import CheckedReady, CheckedStarted
from protocol.messages.rounds.moments import LeftOutMember
from protocol.messages.rounds.values import ShownOwner
from protocol.roles.aggregator.attendance import drop_notices
from protocol.roles.aggregator.drawing import require_seat, silent_seats
from protocol.roles.aggregator.ending import give_up, stall_timer
from protocol.roles.aggregator.joining import admitted_owners
from protocol.roles.aggregator.lanes import Answer
from protocol.roles.aggregator.state import DrawingState, EndingState, TrainingState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import effects_of
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import enter, replace, store
from protocol.roles.rounds.attempt import identity_of
from protocol.roles.rounds.start import first_link, start_model
from protocol.roles.rounds.started import CommittedOwners, require_committed
from protocol.roles.rounds.widths import checked_widths
from protocol.roles.shared.request_widths import LARGEST_ROW_COUNT

Started = DrawingState | TrainingState | EndingState
"""Still waiting, or started, or given up at once."""


def on_roles_drawn(state: DrawingState, event: RolesDrawn, context: Context) -> Step[Started]:
    """Start with the roles that the contract drew, once every owner with a role has shown what it must."""
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    drawn = replace(state, parties=parties)
    waits = (timers.DRAW.cancel(), stall_timer(drawn, context))
    if _is_awaiting(drawn, context):
        return Step(drawn, (*waits, timers.ROWS.set(drawn.step_seconds)))
    started = _start(drawn, context)
    return Step(started.state, (*waits, *started.effects))


def on_checked_ready(
    state: DrawingState, received: Received[CheckedReady], context: Context
) -> Step[Started]:
    """Keep what an owner has joined with, and start with the last that is due.

    Raises ProtocolViolation: "too_few_rows", "too_many_rows", and as `require_committed` does for
    commitments other than those on the chain.
    """
    owner, body = received.sender, received.body
    require_seat(state, owner, context)
    require(body.committed.rows >= state.request.bounds.min_rows, "too_few_rows")
    # One owner's boast must not make everybody's widths overflow.
    require(body.committed.rows <= LARGEST_ROW_COUNT // state.request.owners.maximum, "too_many_rows")
    if any(one.owner == owner for one in state.shown):
        return Step.unchanged(state)
    shown = ShownOwner(owner=owner, card=body.card, committed=body.committed)
    joined = state.parties.commitments[state.parties.seat_of(owner)]
    identity = identity_of(context, state.training, state.key)
    require_committed(shown, joined, identity, state.key, state.request)
    kept, blob = store(shown)
    after = replace(state, shown=(*state.shown, Answer(owner=owner, message=kept)))
    if _is_awaiting(after, context):
        return Step(after, (blob,))
    started = _start(after, context.knowing((blob,)))
    return Step(started.state, (blob, *started.effects))


def on_rows_late(state: DrawingState, _about: None, context: Context) -> Step[Started]:
    """Owners that have shown nothing are left out."""
    return _start(state, context) if state.parties.drawn else Step.unchanged(state)


def on_late_ready(
    state: TrainingState, received: Received[CheckedReady], context: Context
) -> Step[TrainingState]:
    """Tell an owner that would take part that the training has started without it."""
    owner = received.sender
    require_seat(state, owner, context)
    if state.parties.rows_by_owner().get(owner):
        return Step.unchanged(state)
    notice = ParticipantDropped(participant=owner, from_round=1, code="answered_too_late")
    sent = message(context, owner, notice, (1, 0), label=received.envelope.message_id.hex())
    return Step.unchanged(state, sent, facts.ANSWERED_TOO_LATE.of(owner=owner))


def _is_awaiting(state: DrawingState, context: Context) -> bool:
    """Whether roles are still to be drawn, or an admitted owner with a role to show its commitments."""
    awaited = admitted_owners(state, context) & set(state.parties.taking_part())
    return not state.parties.drawn or not awaited <= {one.owner for one in state.shown}


def _start(state: DrawingState, context: Context) -> Step[TrainingState | EndingState]:
    """Start without the seats of owners that have shown nothing."""
    owners = _shown_owners(state, context)
    parties = state.parties
    body = CheckedStarted(
        trainers=parties.addresses(parties.trainers),
        validators=parties.addresses(parties.validators),
        owners=owners,
    )
    parties = replace(parties, rows=body.row_counts(parties.seats))
    silent = silent_seats(parties, {one.owner: one.committed.rows for one in owners})
    if (parties.validators & ~silent).bit_count() < max(2, parties.quorum):
        return give_up(state, "too_few_validators", context, silent=silent & parties.validators)
    try:
        checked_widths(state.request, parties)
    except WidthError:
        return give_up(state, "widths_do_not_fit", context)
    kept, blob = store(CommittedOwners(owners=owners))
    start, start_blob = store(start_model(state.request, state.key))
    training = enter(
        TrainingState,
        state,
        parties=parties,
        dropped=silent,
        left=_left_out(state, silent),
        link=first_link(state.request, state.key),
        next_model=start,
        owners=kept,
    )
    effects = effects_of(
        (blob, start_blob),
        [message(context, recipient, body) for recipient in training.everybody()],
        facts.STARTED.of(trainers=len(body.trainers), validators=len(body.validators)),
        timers.ROWS.cancel(),
        drop_notices(training, silent, (1, 0), "no_row_count", context),
    )
    return Step(training, effects)


def _shown_owners(state: DrawingState, context: Context) -> tuple[ShownOwner, ...]:
    """Of those with a role, in seat order."""
    found = {one.owner: one.message for one in state.shown}
    part = (owner for owner in state.parties.taking_part() if owner in found)
    return tuple(found[owner].load(ShownOwner, context) for owner in part)


def _left_out(state: DrawingState, silent: int) -> tuple[LeftOutMember, ...]:
    members = state.parties.addresses(silent & state.parties.validators)
    return tuple(LeftOutMember(member=member, why="silent") for member in members)
