"""The aggregator's training lane: models out, signed updates in, one masked refresh through the buyer."""

from protocol.bodies import body_of
from protocol.crypto.cipher import Mask, ShortExponentBlinder
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.refresh import mask_updates, unmask_model
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from protocol.learning.widths import Widths
from protocol.messages import (
    EncryptedModel,
    GradientUpdate,
    RefreshAnswer,
    RefreshRequest,
)
from protocol.roles.aggregator import attendance as absence
from protocol.roles.aggregator.attendance import drop_notices
from protocol.roles.aggregator.settlement import give_up
from protocol.roles.aggregator.state import AggregatorState, Answer, TrainedRound, TrainingLane, request_of
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import CancelTimer, RecordFact, SetTimer
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace, store
from protocol.roles.engine.untyped import Received
from protocol.roles.shared.parties import public_key_of, require_sender
from protocol.roles.shared.request_widths import training_widths
from protocol.types import BigInteger, FrozenModel
from protocol.vectors import EncryptedVector, PackedVector

_Step = Step[AggregatorState]


class RefreshMask(FrozenModel):
    """The aggregator's masks between the refresh request and its answer."""

    rhos: tuple[BigInteger, ...]


def start_next(state: AggregatorState, context: Context) -> _Step:
    """Send the next round's model, unless a round is in training or waits to be measured."""
    request = state.request
    assert request is not None
    idle = state.training_lane is None and state.trained is None
    if not idle or state.last_signed or state.next_round > request.schedule.rounds:
        return Step(state)
    trainers = absence.asked_trainers(state, state.next_round)
    active = trainers & ~state.sitting_out
    if active.bit_count() < 2:
        active = trainers
    if active.bit_count() < 2:
        return give_up(state, "too_few_trainers", None, context)
    assert state.next_model is not None
    model = state.next_model.load(EncryptedVector, context)
    lane = TrainingLane(
        status="distributed",
        round=state.next_round,
        trainers=active,
        start_model=state.next_model,
        start_digest=model.digest(),
    )
    body = EncryptedModel(model=model)
    sent = [message(context, trainer, body, (lane.round, 1)) for trainer in state.parties.addresses(active)]
    timer = SetTimer(name=f"updates:{lane.round}", seconds=float(request.deadlines.step_s))
    return Step(replace(state, training_lane=lane, sitting_out=0), (*sent, timer))


def on_gradient_update(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Keep a trainer's signed update; refresh when the last one is in."""
    seat = state.parties.seat_of(received.sender)
    if state.parties.trainers >> seat & 1 and _is_late(state, received):
        # It was told that it is left out when its time was over; now it is there again.
        fact = RecordFact(
            name="update_late", data={"trainer": received.sender, "round": received.envelope.round}
        )
        return Step(absence.mark_present(state, seat).model_copy(), (fact,))
    lane = _lane(state, received.envelope.round, "distributed")
    require(lane.trainers >> seat & 1 == 1, "not_a_trainer")
    require(all(one.owner != received.sender for one in lane.updates), "updated_twice")
    body: GradientUpdate = received.body
    require(body.start_digest == lane.start_digest, "wrong_start_model")
    request = request_of(state)
    body.local_model.read(public_key_of(state.n), scale=UPDATE_SCALE, count=request.parameters)
    kept, blob = store(received.signed)
    updates = (*lane.updates, Answer(owner=received.sender, message=kept))
    state = absence.mark_present(replace(state, training_lane=replace(lane, updates=updates)), seat)
    if len(updates) < lane.trainers.bit_count():
        return Step(state, (blob,))
    closed = _refresh(state, replace(lane, updates=updates), context, {kept.digest: received.signed})
    return Step(closed.state, (blob, *closed.effects))


def _is_late(state: AggregatorState, received: Received) -> bool:
    """Whether the round's updates were closed without this one."""
    lane, asked = state.training_lane, received.envelope.round
    if lane is None:
        return 1 <= asked < state.next_round
    if asked == lane.round and lane.status == "refreshing":
        return all(one.owner != received.sender for one in lane.updates)
    return 1 <= asked < lane.round


def on_updates_late(state: AggregatorState, argument: str, context: Context) -> _Step:
    """Go on without the silent trainers while two remain; they may return for the next round."""
    lane = state.training_lane
    if lane is None or lane.status != "distributed" or argument != str(lane.round):
        return Step(state)
    answered = state.parties.mask(tuple(one.owner for one in lane.updates))
    if answered.bit_count() < 2:
        return give_up(state, "too_few_trainers", None, context)
    silent = lane.trainers & ~answered
    told = drop_notices(state, silent, lane.round, "update_late", context)
    closed = _refresh(
        absence.mark_absent(state, silent, lane.round), replace(lane, trainers=answered), context, {}
    )
    return Step(closed.state, (*told, *closed.effects))


def _refresh(
    state: AggregatorState, lane: TrainingLane, context: Context, fresh: dict[bytes, SignedMessage]
) -> _Step:
    """Ask the buyer for the masked quotient of the sum, in seat order whatever order the updates came in."""
    request, key = request_of(state), public_key_of(state.n)
    widths = _widths(state)
    lane = replace(lane, updates=_in_seat_order(state, lane.updates))
    vectors = []
    for answer in lane.updates:
        signed = fresh.get(answer.message.digest) or answer.message.load(SignedMessage, context)
        update = body_of(signed, GradientUpdate)
        vectors.append(update.local_model.read(key, scale=UPDATE_SCALE, count=request.parameters))
    packed, mask = mask_updates(key, vectors, widths, context.randomness("refresh"))
    kept, blob = store(RefreshMask(rhos=mask.rhos))
    body = RefreshRequest(
        masked=PackedVector.of(
            key,
            packed,
            scale=UPDATE_SCALE,
            count=request.parameters,
            slot_bits=widths.refresh.slot_bits,
        ),
        divisor=widths.divisor(len(vectors)),
    )
    assert state.opened is not None
    asked = message(context, state.opened.buyer, body, (lane.round, 1))
    timers = (
        CancelTimer(name=f"updates:{lane.round}"),
        SetTimer(name=f"refresh:{lane.round}", seconds=float(request.deadlines.step_s)),
    )
    refreshing = replace(lane, status="refreshing", mask=kept)
    return Step(replace(state, training_lane=refreshing), (blob, asked, *timers))


def on_refresh_answer(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Take the mask out of the buyer's answer: the round's new model, ready to be measured and trained on."""
    assert state.opened is not None
    require_sender(received.sender, state.opened.buyer)
    lane = _lane(state, received.envelope.round, "refreshing")
    body: RefreshAnswer = received.body
    request, key, widths = request_of(state), public_key_of(state.n), _widths(state)
    answered = body.model.read(key, scale=MODEL_SCALE, count=request.parameters)
    assert lane.mask is not None
    mask = Mask(lane.mask.load(RefreshMask, context).rhos)
    blinder = ShortExponentBlinder(key, state.blinding_seed)
    divisor = widths.divisor(len(lane.updates))
    model = unmask_model(key, answered, mask, divisor, widths, blinder, context.randomness("blinding"))
    vector = EncryptedVector.of(key, model, MODEL_SCALE)
    kept, blob = store(vector)
    trained = TrainedRound(
        round=lane.round,
        trainers=lane.trainers,
        start_model=lane.start_model,
        updates=lane.updates,
        refreshed_model=kept,
        refreshed_digest=vector.digest(),
    )
    after = replace(state, training_lane=None, trained=trained, next_model=kept, next_round=lane.round + 1)
    return Step(after, (blob, CancelTimer(name=f"refresh:{lane.round}")))


def on_refresh_late(state: AggregatorState, argument: str, context: Context) -> _Step:
    """The buyer is silent: what was recorded is settled, and there is no model."""
    lane = state.training_lane
    if lane is None or lane.status != "refreshing" or argument != str(lane.round):
        return Step(state)
    return give_up(state, "buyer_silent", state.opened.buyer if state.opened else None, context)


def _lane(state: AggregatorState, round_number: int, status: str) -> TrainingLane:
    lane = state.training_lane
    if lane is None or lane.round != round_number or lane.status != status:
        raise ProtocolViolation("round_out_of_order", f"round {round_number}")
    return lane


def _in_seat_order(state: AggregatorState, answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    return tuple(sorted(answers, key=lambda answer: state.parties.seat_of(answer.owner)))


def _widths(state: AggregatorState) -> Widths:
    return training_widths(request_of(state), state.parties)
