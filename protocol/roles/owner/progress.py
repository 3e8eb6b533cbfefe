"""A data owner after it has joined: what it hears of the training's course, up to its end."""

from protocol.marketplace import Cancelled, Joined, RolesDrawn, RoundRecorded, Settled, Withdraw
from protocol.messages import ParticipantDropped, TrainingFailed, TrainingStarted
from protocol.records import RoundRecord
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import CancelTimer, RecordFact, SetTimer, SubmitCall, effects_of
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.engine.untyped import Received
from protocol.roles.owner import stall as waiting
from protocol.roles.owner.budget import policy_of, uncount_training
from protocol.roles.owner.state import OwnerState
from protocol.roles.shared.deadlines import RETENTION_SECONDS
from protocol.roles.shared.parties import require_sender
from protocol.roles.shared.request_widths import started_parties
from protocol.roles.shared.transcript import TranscriptHead


def on_joined(state: OwnerState, event: Joined, _context: Context) -> Step[OwnerState]:
    """Note the seat of an owner that joined."""
    require(event.seat == len(state.parties.seats), "seat_out_of_order")
    parties = replace(state.parties, seats=(*state.parties.seats, event.owner))
    return Step(replace(state, parties=parties))


def on_roles_drawn(state: OwnerState, event: RolesDrawn, context: Context) -> Step[OwnerState]:
    """Train or validate from now on, as the contract drew it; without a seat it is over."""
    parties = replace(state.parties, trainers=event.trainers, validators=event.validators)
    if context.address not in parties.seats:
        late = replace(state, phase="failed", failure="joined_too_late", parties=parties, statistic=None)
        return Step(
            late, (uncount_training(state.training), CancelTimer(name="join"), CancelTimer(name="stalled"))
        )
    trains = context.address in parties.addresses(parties.trainers)
    fact = RecordFact(name="role_drawn", data={"role": "trainer" if trains else "validator"})
    running = replace(state, phase="running", parties=parties, closed=True)
    return Step(running, (fact, waiting.stall_timer(running, context)))


def on_training_started(state: OwnerState, started: Received, context: Context) -> Step[OwnerState]:
    """Note the row counts, if the roles are those drawn on chain and our own count is the one we gave."""
    assert state.request is not None
    require_sender(started.sender, state.request.aggregator)
    require(not state.parties.has_started(), "already_started")
    body: TrainingStarted = started.body
    parties = started_parties(state.request, state.parties, body)
    if parties.rows_by_owner()[context.address] == 0:
        # Our answer came too late for the start: the training goes on without us.
        return Step(state.model_copy(), (RecordFact(name="left_out", data={}),))
    # Row counts weigh the validators' errors: a wrong one would let the aggregator publish a single owner's.
    require(parties.rows_by_owner()[context.address] == state.rows, "wrong_rows")
    return Step(replace(state, parties=parties))


def on_round_recorded(state: OwnerState, event: RoundRecorded, context: Context) -> Step[OwnerState]:
    """Note the round that the chain has recorded."""
    require(event.round == state.recorded + 1, "round_out_of_order")
    after = replace(
        state,
        recorded=event.round,
        recorded_model=event.record.model_digest,
        last_recorded=event.record.last,
    )
    if context.address in state.parties.addresses(state.parties.validators):
        after = _caught_up(after, event.record)
    fact = RecordFact(name="round_recorded", data={"round": event.round})
    return Step(after, (fact, waiting.stall_timer(after, context)))


def _caught_up(state: OwnerState, record: RoundRecord) -> OwnerState:
    """A validator that was left out of a round goes on from its record, which the others have signed.

    If it had been shown the round's model it can serve it: the chain says that it is this one.
    """
    assert state.request is not None
    digest = state.request.hash()
    link = state.link or TranscriptHead(model_digest=digest, transcript=digest)
    if link.round != record.round - 1:
        return state  # it has checked the round itself
    shown = state.evaluation
    known = shown is not None and shown.refreshed_digest == record.model_digest
    return replace(
        state,
        link=link.next(record),
        caught_up=record.round,
        evaluation=None,
        last_model=shown.refreshed_model if shown is not None and known else state.last_model,
    )


def on_settled(state: OwnerState, _event: Settled, context: Context) -> Step[OwnerState]:
    """The contract has paid; whoever holds the last model keeps it for a buyer that asks."""
    finished = replace(state, phase="finished", evaluation=None, answer=None, statistic=None)
    effects = (
        SubmitCall(call=Withdraw()) if policy_of(context).withdraw else None,
        CancelTimer(name="stalled"),
        SetTimer(name="retention", seconds=RETENTION_SECONDS) if state.last_model is not None else None,
    )
    return Step(finished, effects_of(*effects))


def on_retention_over(state: OwnerState, _argument: str, _context: Context) -> Step[OwnerState]:
    """The model need not be kept any longer."""
    return Step(replace(state, last_model=None))


def on_cancelled(state: OwnerState, _event: Cancelled, _context: Context) -> Step[OwnerState]:
    """It counts unless nothing was worked on: what was measured may have been opened unrecorded."""
    untouched = state.answer is None and state.link is None and not state.recorded
    failed = replace(state, phase="failed", failure="cancelled", statistic=None)
    timers = [CancelTimer(name=name) for name in ("opened", "join", "stalled")]
    return Step(failed, effects_of(timers, uncount_training(state.training) if untouched else None))


def on_gone(state: OwnerState, _refusal: object, _context: Context) -> Step[OwnerState]:
    """A reorganisation took the opening back after it was final: nobody will pay.

    Like a cancelled training it counts, unless nothing was worked on.
    """
    untouched = state.answer is None and state.link is None and not state.recorded
    failed = replace(state, phase="failed", failure="not_on_chain")
    return Step(
        failed,
        effects_of(CancelTimer(name="stalled"), uncount_training(state.training) if untouched else None),
    )


def noted(state: OwnerState, received: Received, _context: Context) -> Step[OwnerState]:
    """Keep what the aggregator tells as a fact."""
    assert state.request is not None
    require_sender(received.sender, state.request.aggregator)
    data = {"type": received.envelope.type, "round": received.envelope.round}
    body = received.body
    if isinstance(body, ParticipantDropped):
        data |= {"participant": body.participant, "code": body.code}
    if isinstance(body, TrainingFailed):
        data |= {"code": body.code}
    return Step(state.model_copy(), (RecordFact(name="told", data=data),))
