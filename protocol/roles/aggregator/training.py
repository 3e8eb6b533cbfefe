"""The aggregator's training lane: models out, signed updates in, one masked refresh through the buyer."""

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.crypto.cipher import Mask, ShortExponentBlinder
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.refresh import mask_updates, unmask_model
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from protocol.messages import EncryptedModel, GradientUpdate, RefreshAnswer, RefreshRequest
from protocol.roles.aggregator import attendance
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.lanes import Answer, DistributedLane, RefreshingLane, TrainedRound
from protocol.roles.aggregator.state import EndingState, TrainingState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace, store, with_new_blobs
from protocol.roles.shared.parties import require_sender
from protocol.types import BigInteger, FrozenModel
from protocol.vectors import EncryptedVector, PackedVector

TrainingStep = Step[TrainingState | EndingState]


class RefreshMask(FrozenModel):
    """The aggregator's masks between the refresh request and its answer."""

    rhos: tuple[BigInteger, ...]


# ---- the model goes out ----


def start_next(state: TrainingState, context: Context) -> TrainingStep:
    """Send the next round's model, unless a round is in training or waits to be measured."""
    idle = state.training_lane is None and state.trained is None
    if not idle or state.last_signed or state.next_round > state.request.schedule.rounds:
        return Step.unchanged(state)
    trainers = _next_trainers(state)
    if trainers.bit_count() < 2:
        return give_up(state, "too_few_trainers", context)
    return _distribute(state, trainers, context)


def _next_trainers(state: TrainingState) -> int:
    """Those asked but the worst of the last round, unless too few are left without them."""
    asked = attendance.asked_trainers(state, state.next_round)
    active = asked & ~state.sitting_out
    return active if active.bit_count() >= 2 else asked


def _distribute(state: TrainingState, trainers: int, context: Context) -> Step[TrainingState]:
    model = state.next_model.load(EncryptedVector, context)
    lane = DistributedLane(
        round=state.next_round, trainers=trainers, start_model=state.next_model, start_digest=model.digest()
    )
    body = EncryptedModel(model=model)
    recipients = state.parties.addresses(trainers)
    sent = [message(context, trainer, body, (lane.round, 1)) for trainer in recipients]
    updates_due = timers.UPDATES.set(state.step_seconds, lane.round)
    return Step(replace(state, training_lane=lane, sitting_out=0), (*sent, updates_due))


# ---- the updates come in ----


def on_gradient_update(
    state: TrainingState, received: Received[GradientUpdate], context: Context
) -> Step[TrainingState]:
    """Keep a trainer's signed update; refresh when the last one is in."""
    if state.last_signed:
        return _too_far_ahead(state)
    seat = state.parties.seat_of(received.sender)
    if state.parties.trainers >> seat & 1 and _is_late(state, received):
        # It was told that it is left out when its time was over; now it is there again.
        fact = facts.UPDATE_LATE.of(trainer=received.sender, round=received.at.round)
        return Step(attendance.mark_present(state, seat), (fact,))
    lane = _distributed_lane(state, received.at.round)
    _check_update(state, lane, received, seat)
    update, blob = store(received.signed)
    lane = replace(lane, updates=(*lane.updates, Answer(owner=received.sender, message=update)))
    state = attendance.mark_present(replace(state, training_lane=lane), seat)
    if len(lane.updates) < lane.trainers.bit_count():
        return Step(state, (blob,))
    refreshing = _refresh(state, lane, with_new_blobs(context, (blob,)))
    return Step(refreshing.state, (blob, *refreshing.effects))


def _check_update(
    state: TrainingState, lane: DistributedLane, received: Received[GradientUpdate], seat: int
) -> None:
    """Raise ProtocolViolation unless this trainer's one update of this round can be averaged."""
    require(lane.trainers >> seat & 1 == 1, "not_a_trainer")
    require(received.sender not in _senders(lane), "updated_twice")
    require(received.body.start_digest == lane.start_digest, "wrong_start_model")
    _read_update(state, received.body)


def _read_update(state: TrainingState, body: GradientUpdate) -> list[mpz]:
    return body.local_model.read(state.key, scale=UPDATE_SCALE, count=state.request.parameters)


def _is_late(state: TrainingState, received: Received[GradientUpdate]) -> bool:
    """Whether the round's updates were closed without this one."""
    lane, asked = state.training_lane, received.at.round
    if lane is None:
        return 1 <= asked < state.next_round
    if asked == lane.round and isinstance(lane, RefreshingLane):
        return received.sender not in _senders(lane)
    return 1 <= asked < lane.round


def on_updates_late(state: TrainingState, round_number: int, context: Context) -> TrainingStep:
    """Go on without the silent trainers while two remain; they may return for the next round."""
    lane = state.training_lane
    if not isinstance(lane, DistributedLane) or lane.round != round_number:
        return Step.unchanged(state)
    answered = state.parties.mask(_senders(lane))
    silent = lane.trainers & ~answered
    if answered.bit_count() < 2:
        return give_up(state, "too_few_trainers", context, silent=silent)
    notices = attendance.drop_notices(state, silent, (lane.round, 0), "update_late", context)
    state = attendance.mark_absent(state, silent, lane.round)
    refreshing = _refresh(state, replace(lane, trainers=answered), context)
    return Step(refreshing.state, (*notices, *refreshing.effects))


# ---- the refresh ----


def _refresh(state: TrainingState, lane: DistributedLane, context: Context) -> Step[TrainingState]:
    """Ask the buyer for the masked quotient of the sum, in seat order whatever order the updates came in."""
    updates = state.in_seat_order(lane.updates)
    body, mask = _masked_sum(state, updates, context)
    kept, blob = store(mask)
    refreshing = RefreshingLane(
        round=lane.round,
        trainers=lane.trainers,
        start_model=lane.start_model,
        start_digest=lane.start_digest,
        updates=updates,
        mask=kept,
    )
    asked = message(context, state.opened.buyer, body, (lane.round, 1))
    waits = (timers.UPDATES.cancel(lane.round), timers.REFRESH.set(state.step_seconds, lane.round))
    return Step(replace(state, training_lane=refreshing), (blob, asked, *waits))


def _masked_sum(
    state: TrainingState, updates: tuple[Answer, ...], context: Context
) -> tuple[RefreshRequest, RefreshMask]:
    """The sum of the updates under a mask, for the buyer, and the mask."""
    key, widths = state.key, state.widths
    messages = [update.message.load(SignedMessage, context) for update in updates]
    vectors = [_read_update(state, body_of(signed, GradientUpdate)) for signed in messages]
    packed, mask = mask_updates(key, vectors, widths, context.randomness("refresh"))
    masked = PackedVector.of(
        key, packed, scale=UPDATE_SCALE, count=state.request.parameters, slot_bits=widths.refresh.slot_bits
    )
    request = RefreshRequest(masked=masked, divisor=widths.divisor(len(vectors)))
    return request, RefreshMask(rhos=mask.rhos)


def on_refresh_answer(
    state: TrainingState, received: Received[RefreshAnswer], context: Context
) -> Step[TrainingState]:
    """Take the mask out of the buyer's answer: the round's new model, ready to be measured and trained on."""
    require_sender(received.sender, state.opened.buyer)
    if state.last_signed:
        return _too_far_ahead(state)
    lane = state.training_lane
    if not isinstance(lane, RefreshingLane) or lane.round != received.at.round:
        raise _out_of_order(received.at.round)
    vector = _unmasked(state, lane, received.body, context)
    model, blob = store(vector)
    trained = TrainedRound(
        round=lane.round,
        trainers=lane.trainers,
        start_model=lane.start_model,
        updates=lane.updates,
        refreshed_model=model,
        refreshed_digest=vector.digest(),
    )
    state = replace(state, training_lane=None, trained=trained, next_model=model, next_round=lane.round + 1)
    return Step(state, (blob, timers.REFRESH.cancel(lane.round)))


def _unmasked(
    state: TrainingState, lane: RefreshingLane, body: RefreshAnswer, context: Context
) -> EncryptedVector:
    """The round's model, freshly blinded; raises ProtocolViolation for what is no vector of ciphertexts."""
    key, widths = state.key, state.widths
    answered = body.model.read(key, scale=MODEL_SCALE, count=state.request.parameters)
    mask = Mask(lane.mask.load(RefreshMask, context).rhos)
    blinder = ShortExponentBlinder(key, state.blinding_seed)
    divisor = widths.divisor(len(lane.updates))
    model = unmask_model(key, answered, mask, divisor, widths, blinder, context.randomness("blinding"))
    return EncryptedVector.of(key, model, MODEL_SCALE)


def on_refresh_late(state: TrainingState, round_number: int, context: Context) -> TrainingStep:
    """The buyer is silent: what was recorded is settled, and there is no model."""
    lane = state.training_lane
    if not isinstance(lane, RefreshingLane) or lane.round != round_number:
        return Step.unchanged(state)
    return give_up(state, "buyer_silent", context, fault=state.opened.buyer)


# ---- the lane ----


def _too_far_ahead(state: TrainingState) -> Step[TrainingState]:
    """What was asked for a round ahead of the one that turned out to be the last: nobody is to blame."""
    return Step.unchanged(state)


def _distributed_lane(state: TrainingState, round_number: int) -> DistributedLane:
    lane = state.training_lane
    if not isinstance(lane, DistributedLane) or lane.round != round_number:
        raise _out_of_order(round_number)
    return lane


def _out_of_order(round_number: int) -> ProtocolViolation:
    return ProtocolViolation("round_out_of_order", f"round {round_number}")


def _senders(lane: DistributedLane | RefreshingLane) -> tuple[str, ...]:
    return tuple(update.owner for update in lane.updates)
