"""The training lane: models out, proven updates in, then an exchange with the buyer (`moments`)."""

from protocol.bodies import body_of
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.scales import UPDATE_SCALE
from protocol.messages import EncryptedModel
from protocol.messages.opening import SignedRefusal
from protocol.messages.rounds import ProvenUpdate
from protocol.roles.aggregator import attendance
from protocol.roles.aggregator.attempts import MomentsLane
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.lanes import Answer, DistributedLane
from protocol.roles.aggregator.rounds.moments import ask_for_round
from protocol.roles.aggregator.rounds.view import TrainingView
from protocol.roles.aggregator.state import EndingState, TrainingState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.rounds.proofs import read_update
from protocol.types import mask_of
from protocol.vectors import EncryptedVector

TrainingStep = Step[TrainingState | EndingState]


# ---- the model goes out ----


def start_next(state: TrainingState, context: Context) -> TrainingStep:
    """Send the next round's model, unless one is in training or waits to be measured, or its fold waits."""
    idle = state.training_lane is None and state.trained is None and not state.is_repeating
    schedule = state.request.schedule
    over = state.next_round > schedule.rounds or schedule.fold_of(state.next_round) != state.parties.fold
    if not idle or state.last_signed or over:
        return Step.unchanged(state)
    asked = attendance.asked_trainers(state, state.next_round)
    active = asked & ~state.sitting_out
    trainers = active if active.bit_count() >= 2 else asked
    if trainers.bit_count() < 2:
        return give_up(state, "too_few_trainers", context)
    return _distribute(state, trainers, context)


def _distribute(state: TrainingState, trainers: int, context: Context) -> Step[TrainingState]:
    model = state.next_model.load(EncryptedVector, context)
    lane = DistributedLane(
        round=state.next_round,
        trainers=trainers,
        start_model=state.next_model,
        start_digest=model.digest(),
        carried=state.carried,
    )
    view, at = TrainingView(state, context), (lane.round, state.model_number(lane.round))
    starts = {one: view.start_of(one, lane) for one in state.parties.addresses(trainers)}
    sent = [
        message(context, trainer, _model_sent(state, lane.round, start, context), at)
        for trainer, start in starts.items()
    ]
    updates_due = timers.UPDATES.set(state.step_seconds, lane.round)
    return Step(replace(state, training_lane=lane, sitting_out=0), (*sent, updates_due))


def _model_sent(
    state: TrainingState, round_number: int, model: EncryptedVector, context: Context
) -> EncryptedModel:
    """With the buyer's word where the round before was repeated: trainers have answered another model."""
    repeated = state.repeated
    if repeated is None or repeated.round != round_number - 1:
        return EncryptedModel(model=model)
    return EncryptedModel(model=model, refused=repeated.refused.load(SignedRefusal, context))


# ---- the updates come in ----


def on_proven_update(
    state: TrainingState, received: Received[ProvenUpdate], context: Context
) -> TrainingStep:
    """Keep a trainer's signed update; with the last one verify all proofs, and ask for the moments."""
    if state.last_signed:
        return Step.unchanged(state)  # asked for a round ahead of what turned out to be the last
    seat = state.parties.seat_of(received.sender)
    if received.at.attempt < state.model_number(received.at.round) or _is_discarded(state, received):
        raise StaleInput  # of a model that a repetition of the round before has discarded
    if state.parties.trainers >> seat & 1 and _is_late(state, received):
        # It was told that it is left out when its time was over; now it is there again.
        fact = facts.UPDATE_LATE.of(trainer=received.sender, round=received.at.round)
        return Step(attendance.mark_present(state, seat), (fact,))
    lane = _distributed_lane(state, received.at.round)
    _check_update(state, lane, received, context)
    update, blob = store(received.signed)
    lane = replace(lane, updates=(*lane.updates, Answer(owner=received.sender, message=update)))
    state = attendance.mark_present(replace(state, training_lane=lane), seat)
    if len(lane.updates) < lane.trainers.bit_count():
        return Step(state, (blob,))
    proven = _prove(state, lane, context.knowing((blob,)))
    return Step(proven.state, (blob, *proven.effects))


def _check_update(
    state: TrainingState,
    lane: DistributedLane,
    received: Received[ProvenUpdate],
    context: Context,
) -> None:
    """Raise ProtocolViolation unless this is the trainer's one update of the round, of numbers that are some.

    What they claim is verified when all are here, in one equation.
    """
    owner, body = received.sender, received.body
    require(lane.trainers >> state.parties.seat_of(owner) & 1 == 1, "not_a_trainer")
    require(all(one.owner != owner for one in lane.updates), "updated_twice")
    view = TrainingView(state, context)
    start = view.start_of(owner, lane)
    require(body.start_digest == start.digest(), "wrong_start_model")
    body.local_model.read(state.key, scale=UPDATE_SCALE, count=state.request.parameters)
    read_update(view.update_proofs(lane.round).of(start), owner, body, view.owners.of(owner))


def on_updates_late(state: TrainingState, round_number: int, context: Context) -> TrainingStep:
    """Go on without the silent trainers while two remain; they may return for the next round."""
    lane = state.training_lane
    if not isinstance(lane, DistributedLane) or lane.round != round_number:
        return Step.unchanged(state)
    answered = state.parties.mask(tuple(one.owner for one in lane.updates))
    silent = lane.trainers & ~answered
    if answered.bit_count() < 2:
        return give_up(state, "too_few_trainers", context, silent=silent)
    notices = attendance.drop_notices(state, silent, (lane.round, 0), "update_late", context)
    absent = attendance.mark_absent(state, silent, lane.round)
    proven = _prove(absent, replace(lane, trainers=answered), context)
    return Step(proven.state, (*notices, *proven.effects))


def _prove(state: TrainingState, lane: DistributedLane, context: Context) -> TrainingStep:
    """Verify all proofs together; whose fails is named, and takes no part in the training any more.

    It has not done what it committed to: an honest trainer's proof never fails.
    """
    lane = replace(lane, updates=state.in_seat_order(lane.updates))
    liars = _unproven(state, lane, context)
    state = replace(state, dropped=state.dropped | liars)
    notices = attendance.drop_notices(state, liars, (lane.round, 0), "unproven_update", context)
    trainers = lane.trainers & ~liars
    if trainers.bit_count() < 2:
        fault = next(iter(state.parties.addresses(liars)), None)
        given_up = give_up(state, "too_few_trainers", context, fault=fault)
        return Step(given_up.state, (*notices, *given_up.effects))
    proven = state.parties.addresses(trainers)
    updates = tuple(one for one in lane.updates if one.owner in proven)
    asked = ask_for_round(state, replace(lane, trainers=trainers, updates=updates), context)
    return Step(asked.state, (*notices, timers.UPDATES.cancel(lane.round), *asked.effects))


def _unproven(state: TrainingState, lane: DistributedLane, context: Context) -> int:
    """The seats whose proofs do not hold, as a mask."""
    view = TrainingView(state, context)
    proofs = view.update_proofs(lane.round)
    claims = []
    for one in lane.updates:
        start = view.start_of(one.owner, lane)
        body = body_of(one.message.load(SignedMessage, context), ProvenUpdate)
        claims.append((start, read_update(proofs.of(start), one.owner, body, view.owners.of(one.owner))))
    return mask_of([state.parties.seat_of(owner) for owner in proofs.unproven(claims)])


# ---- the lane ----


def _is_discarded(state: TrainingState, received: Received[ProvenUpdate]) -> bool:
    """Whether the round's model is still to be made again."""
    return state.is_repeating and received.at.round == state.next_round


def _is_late(state: TrainingState, received: Received[ProvenUpdate]) -> bool:
    """Whether the round's updates were closed without this one."""
    lane, asked = state.training_lane, received.at.round
    if lane is None:
        return 1 <= asked < state.next_round
    if asked == lane.round and isinstance(lane, MomentsLane):
        return all(one.owner != received.sender for one in lane.updates)
    return 1 <= asked < lane.round


def _distributed_lane(state: TrainingState, round_number: int) -> DistributedLane:
    lane = state.training_lane
    if not isinstance(lane, DistributedLane) or lane.round != round_number:
        raise ProtocolViolation("round_out_of_order", f"round {round_number}")
    return lane
