"""The aggregator's evaluation lane, first half: it relays models to validators, and their metrics."""

from protocol.envelope import SignedMessage
from protocol.messages import EncryptedMetric, LocalModels, OpeningRequest, UpdateDigest
from protocol.roles.aggregator import attendance
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.lanes import Answer, MeasuringLane, OpeningLane, attempt_out_of_order
from protocol.roles.aggregator.state import EndingState, TrainingState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace, store, with_new_blobs
from protocol.roles.shared.metric_check import read_values
from protocol.types import RoundAttempt
from protocol.vectors import EncryptedVector

_NO_CHECK = b"\0" * 32


# ---- the models go out ----


def start_next(state: TrainingState, context: Context) -> Step[TrainingState]:
    """Begin measuring the trained round that waits, once the round before it is signed."""
    if state.evaluation is not None or state.trained is None:
        return Step.unchanged(state)
    validators = attendance.asked_validators(state, state.trained.round)
    lane = MeasuringLane(trained=state.trained, attempt=1, validators=validators)
    return _measure(replace(state, trained=None), lane, context)


def _measure(state: TrainingState, lane: MeasuringLane, context: Context) -> Step[TrainingState]:
    body = _local_models(state, lane, context)
    sent = [message(context, validator, body, lane.at) for validator in body.validators]
    metrics_due = timers.METRICS.set(state.step_seconds, lane.at)
    return Step(replace(state, evaluation=lane), (*sent, metrics_due))


def _local_models(state: TrainingState, lane: MeasuringLane, context: Context) -> LocalModels:
    trained = lane.trained
    return LocalModels(
        start_model=trained.start_model.load(EncryptedVector, context),
        updates=tuple(update.message.load(SignedMessage, context) for update in trained.updates),
        refreshed_model=trained.refreshed_model.load(EncryptedVector, context),
        validators=state.parties.addresses(lane.validators),
        measure_start=state.link.measures_start(lane.validators),
        check_mask_digest=_NO_CHECK,
    )


# ---- the metrics come in ----


def on_encrypted_metric(
    state: TrainingState, received: Received[EncryptedMetric], context: Context
) -> Step[TrainingState]:
    """Keep a validator's signed metric; when all are in, ask the buyer to open their product."""
    seat = state.parties.seat_of(received.sender)
    if state.parties.validators >> seat & 1 and _is_late(state, received.at):
        fact = facts.METRIC_LATE.of(validator=received.sender, round=received.at.round)
        return Step(attendance.mark_present(state, seat), (fact,))
    lane = state.evaluation
    if not isinstance(lane, MeasuringLane) or lane.at != received.at:
        raise attempt_out_of_order(received.at)
    _check_metric(state, lane, received, context)
    metric, blob = store(received.signed)
    metrics = state.in_seat_order((*lane.metrics, Answer(owner=received.sender, message=metric)))
    lane = replace(lane, metrics=metrics)
    state = attendance.mark_present(replace(state, evaluation=lane), seat)
    if len(metrics) < lane.validators.bit_count():
        return Step(state, (blob,))
    asked = _ask_for_opening(state, lane, with_new_blobs(context, (blob,)))
    return Step(asked.state, (blob, *asked.effects))


def _check_metric(
    state: TrainingState, lane: MeasuringLane, received: Received[EncryptedMetric], context: Context
) -> None:
    """Raise ProtocolViolation unless this validator's one metric of this attempt can be added up.

    Whatever the buyer would refuse in the product must not get in: one bad metric would end the training.
    """
    body, owner = received.body, received.sender
    require(lane.validators >> state.parties.seat_of(owner) & 1 == 1, "not_a_validator")
    require(all(metric.owner != owner for metric in lane.metrics), "measured_twice")
    require(body.refreshed_digest == lane.trained.refreshed_digest, "other_refreshed_model")
    require(body.start_digest == state.link.model_digest, "wrong_start_model")
    require(body.updates == _update_digests(lane, context), "other_updates")
    require(body.measure_start == state.link.measures_start(lane.validators), "wrong_start_measurement")
    read_values(body, owner, parties=state.parties, widths=state.widths, key=state.key)


def _is_late(state: TrainingState, at: RoundAttempt) -> bool:
    """Whether its attempt went on, or its round is signed, without this metric."""
    if at.round <= state.link.round:
        return at.round >= 1
    lane = state.evaluation
    return lane is not None and at.round == lane.trained.round and at.attempt < lane.attempt


def on_metrics_late(
    state: TrainingState, at: RoundAttempt, context: Context
) -> Step[TrainingState | EndingState]:
    """A silent validator means a next attempt without it while enough remain; it may return next round."""
    lane = state.evaluation
    if not isinstance(lane, MeasuringLane) or lane.at != at:
        return Step.unchanged(state)
    answered = state.parties.mask(tuple(metric.owner for metric in lane.metrics))
    silent = lane.validators & ~answered
    if answered.bit_count() < state.parties.quorum:
        return give_up(state, "too_few_validators", context, silent=silent)
    notices = attendance.drop_notices(state, silent, at, "metric_late", context)
    state = attendance.mark_absent(state, silent, at.round)
    again = MeasuringLane(trained=lane.trained, attempt=lane.attempt + 1, validators=answered)
    measuring = _measure(state, again, context)
    return Step(measuring.state, (*notices, *measuring.effects))


def _ask_for_opening(state: TrainingState, lane: MeasuringLane, context: Context) -> Step[TrainingState]:
    """Relay the metrics to the buyer, and to the validators, who check its opening."""
    relayed = tuple(metric.message.load(SignedMessage, context) for metric in lane.metrics)
    asked = OpeningRequest(metrics=relayed)
    recipients = (state.opened.buyer, *state.parties.addresses(lane.validators))
    sent = [message(context, recipient, asked, lane.at) for recipient in recipients]
    waits = (timers.METRICS.cancel(lane.at), timers.OPENING.set(state.step_seconds, lane.at))
    opening = OpeningLane(
        trained=lane.trained, attempt=lane.attempt, validators=lane.validators, metrics=lane.metrics
    )
    return Step(replace(state, evaluation=opening), (*sent, *waits))


def _update_digests(lane: MeasuringLane, context: Context) -> tuple[UpdateDigest, ...]:
    return tuple(
        UpdateDigest(trainer=update.owner, digest=update.message.load(SignedMessage, context).digest())
        for update in lane.trained.updates
    )
