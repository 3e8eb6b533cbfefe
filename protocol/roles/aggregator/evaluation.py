"""The aggregator's evaluation lane: it relays signed metrics, checks their opening, collects signatures."""

from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.widths import Widths
from protocol.marketplace import RecordRound
from protocol.messages import (
    EncryptedMetric,
    LocalModels,
    Opening,
    OpeningRequest,
    RoundSignature,
    UpdateDigest,
)
from protocol.roles.aggregator import attendance as absence
from protocol.roles.aggregator.attendance import drop_notices
from protocol.roles.aggregator.settlement import give_up
from protocol.roles.aggregator.state import (
    AggregatorState,
    Answer,
    EvaluationLane,
    RecordedModel,
    TrainedRound,
    request_of,
)
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import CancelTimer, RecordFact, SetTimer, SubmitCall
from protocol.roles.engine.refusals import EarlyInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.engine.untyped import Received
from protocol.roles.shared.metric_check import (
    CheckedMetrics,
    build_record,
    check_metrics,
    check_openings,
    read_values,
)
from protocol.roles.shared.parties import public_key_of, require_sender
from protocol.roles.shared.request_widths import training_widths
from protocol.roles.shared.transcript import TranscriptHead
from protocol.signatures import recover_address
from protocol.types import mask_of, seats_of
from protocol.vectors import EncryptedVector

_Step = Step[AggregatorState]
_NO_CHECK = b"\0" * 32
TOLERATED_ERROR = 2
"""(1 + τ) with τ = 1: a trainer whose local model is worse than twice v₀ sits out the next round."""


def start_next(state: AggregatorState, context: Context) -> _Step:
    """Begin measuring the trained round that waits, once the round before it is signed."""
    if state.evaluation is not None or state.trained is None:
        return Step(state)
    validators = absence.asked_validators(state, state.trained.round)
    waiting = replace(state, trained=None)
    return _measure(waiting, state.trained, validators, 1, context)


def _measure(
    state: AggregatorState, trained: TrainedRound, validators: int, attempt: int, context: Context
) -> _Step:
    link = _link(state)
    body = LocalModels(
        start_model=trained.start_model.load(EncryptedVector, context),
        updates=tuple(answer.message.load(SignedMessage, context) for answer in trained.updates),
        refreshed_model=trained.refreshed_model.load(EncryptedVector, context),
        validators=state.parties.addresses(validators),
        measure_start=link.measures_start(validators),
        check_mask_digest=_NO_CHECK,
    )
    lane = EvaluationLane(status="measuring", trained=trained, attempt=attempt, validators=validators)
    sent = [message(context, one, body, (trained.round, attempt)) for one in body.validators]
    timer = _timer(state, "metrics", trained.round, attempt)
    return Step(replace(state, evaluation=lane), (*sent, timer))


def on_encrypted_metric(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Keep a validator's signed metric; when all are in, ask the buyer to open their product."""
    seat = state.parties.seat_of(received.sender)
    if state.parties.validators >> seat & 1 and _is_late(state, received):
        fact = RecordFact(
            name="metric_late", data={"validator": received.sender, "round": received.envelope.round}
        )
        return Step(absence.mark_present(state, seat).model_copy(), (fact,))
    lane = _lane(state, received, "measuring")
    require(lane.validators >> seat & 1 == 1, "not_a_validator")
    require(all(one.owner != received.sender for one in lane.metrics), "measured_twice")
    body: EncryptedMetric = received.body
    require(body.refreshed_digest == lane.trained.refreshed_digest, "other_refreshed_model")
    require(body.start_digest == _link(state).model_digest, "wrong_start_model")
    # Whatever the buyer would refuse in the product must not get in: one bad metric would end the training.
    require(body.updates == _update_digests(lane, context), "other_updates")
    require(body.measure_start == _link(state).measures_start(lane.validators), "wrong_start_measurement")
    read_values(
        body, received.sender, parties=state.parties, widths=_widths(state), key=public_key_of(state.n)
    )
    kept, blob = store(received.signed)
    metrics = (*lane.metrics, Answer(owner=received.sender, message=kept))
    state = absence.mark_present(state, seat)
    lane = replace(lane, metrics=tuple(sorted(metrics, key=lambda one: state.parties.seat_of(one.owner))))
    if len(metrics) < lane.validators.bit_count():
        return Step(replace(state, evaluation=lane), (blob,))
    relayed = tuple(
        received.signed if one.owner == received.sender else one.message.load(SignedMessage, context)
        for one in lane.metrics
    )
    asked = OpeningRequest(metrics=relayed)
    assert state.opened is not None
    recipients = (state.opened.buyer, *state.parties.addresses(lane.validators))
    place = (lane.trained.round, lane.attempt)
    sent = [message(context, one, asked, place) for one in recipients]
    timers = (
        CancelTimer(name=f"metrics:{lane.trained.round}.{lane.attempt}"),
        _timer(state, "opening", lane.trained.round, lane.attempt),
    )
    return Step(replace(state, evaluation=replace(lane, status="opening")), (blob, *sent, *timers))


def _is_late(state: AggregatorState, received: Received) -> bool:
    """Whether its attempt went on, or its round is signed, without this metric."""
    place = (received.envelope.round, received.envelope.attempt)
    if received.envelope.round <= _link(state).round:
        return place[0] >= 1
    lane = state.evaluation
    return lane is not None and place < (lane.trained.round, lane.attempt) and place[0] == lane.trained.round


def on_metrics_late(state: AggregatorState, argument: str, context: Context) -> _Step:
    """A silent validator means a next attempt without it while two remain; it may return next round."""
    lane = state.evaluation
    if lane is None or lane.status != "measuring" or argument != _place(lane):
        return Step(state)
    answered = state.parties.mask(tuple(one.owner for one in lane.metrics))
    missing = lane.validators & ~answered
    if answered.bit_count() < 2:
        return give_up(state, "too_few_validators", None, context)
    told = drop_notices(state, missing, lane.trained.round, "metric_late", context)
    again = _measure(
        absence.mark_absent(state, missing, lane.trained.round),
        lane.trained,
        answered,
        lane.attempt + 1,
        context,
    )
    return Step(again.state, (*told, *again.effects))


def on_opening(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Check the buyer's opening and record as the validators do; then wait for their signatures."""
    assert state.opened is not None
    require_sender(received.sender, state.opened.buyer)
    lane = _lane(state, received, "opening")
    body: Opening = received.body
    checked = _checked(state, lane, context)
    check_openings(public_key_of(state.n), checked.products, body.plaintexts, body.roots)
    record = build_record(
        checked, list(body.plaintexts), request=request_of(state), widths=_widths(state), link=_link(state)
    )
    require(record == body.record, "wrong_record")
    assert record is not None
    signer = recover_address(record.digest(context.market), body.signature)
    require(signer == state.opened.buyer, "bad_record_signature")
    signing = replace(lane, status="signing", record=record, buyer_signature=body.signature)
    timers = (
        CancelTimer(name=f"opening:{_place(lane)}"),
        _timer(state, "signatures", lane.trained.round, lane.attempt),
    )
    return Step(replace(state, evaluation=signing), timers)


def on_opening_refused(state: AggregatorState, received: Received, context: Context) -> _Step:
    """The sum was implausible: nothing of this round may be published, and it cannot be measured again."""
    assert state.opened is not None
    require_sender(received.sender, state.opened.buyer)
    _lane(state, received, "opening")
    return give_up(state, "implausible", None, context)


def on_opening_late(state: AggregatorState, argument: str, context: Context) -> _Step:
    """The buyer is silent: what was recorded is settled."""
    lane = state.evaluation
    if lane is None or lane.status != "opening" or argument != _place(lane):
        return Step(state)
    return give_up(state, "buyer_silent", state.opened.buyer if state.opened else None, context)


def on_round_signature(state: AggregatorState, received: Received, context: Context) -> _Step:
    """Collect signatures; a majority of the attempt's validators sends the record to the chain."""
    lane = state.evaluation
    if lane is None or lane.status != "signing" or lane.trained.round != received.envelope.round:
        late = state.link is not None and received.envelope.round <= state.link.round
        return _early_signature(state, late=late)
    seat = state.parties.seat_of(received.sender)
    require(lane.validators >> seat & 1 == 1, "not_a_validator")
    body: RoundSignature = received.body
    assert lane.record is not None
    signer = recover_address(lane.record.digest(context.market), body.signature)
    require(signer == received.sender, "bad_record_signature")
    signatures = (*(one for one in lane.signatures if one[0] != signer), (signer, body.signature))
    lane = replace(lane, signatures=signatures)
    if 2 * len(signatures) <= lane.validators.bit_count():
        return Step(replace(state, evaluation=lane))
    return _record(replace(state, evaluation=lane), lane)


def _early_signature(state: AggregatorState, *, late: bool) -> _Step:
    if late:
        return Step(state)  # the majority was there before it
    raise EarlyInput


def on_signatures_late(state: AggregatorState, argument: str, context: Context) -> _Step:
    """Without a majority the round cannot be recorded."""
    lane = state.evaluation
    if lane is None or lane.status != "signing" or argument != _place(lane):
        return Step(state)
    return give_up(state, "too_few_signatures", None, context)


def _record(state: AggregatorState, lane: EvaluationLane) -> _Step:
    record, buyer_signature = lane.record, lane.buyer_signature
    assert record is not None
    assert buyer_signature is not None
    by_owner = dict(lane.signatures)
    signatures = tuple(by_owner.get(owner, b"") for owner in state.parties.addresses(lane.validators))
    call = RecordRound(record=record, buyer_signature=buyer_signature, validator_signatures=signatures)
    limit = TOLERATED_ERROR * record.mse_before
    worse = [seat for seat, own in zip(seats_of(record.trainers), record.own, strict=True) if own > limit]
    model = RecordedModel(
        round=record.round, model=lane.trained.refreshed_model, digest=lane.trained.refreshed_digest
    )
    after = replace(
        state,
        evaluation=None,
        link=_link(state).next(record),
        sitting_out=mask_of(worse),
        signed_models=(*state.signed_models, model),
        last_signed=record.last,
        training_lane=None if record.last else state.training_lane,
        trained=None if record.last else state.trained,
    )
    fact = RecordFact(name="round_signed", data={"round": record.round, "last": record.last})
    return Step(after, (SubmitCall(call=call), CancelTimer(name=f"signatures:{_place(lane)}"), fact))


def _checked(state: AggregatorState, lane: EvaluationLane, context: Context) -> CheckedMetrics:
    return check_metrics(
        [one.message.load(SignedMessage, context) for one in lane.metrics],
        training=state.training,
        round_number=lane.trained.round,
        attempt=lane.attempt,
        parties=state.parties,
        widths=_widths(state),
        key=public_key_of(state.n),
        link=_link(state),
    )


def _lane(state: AggregatorState, received: Received, status: str) -> EvaluationLane:
    lane = state.evaluation
    place = f"{received.envelope.round}.{received.envelope.attempt}"
    if lane is None or lane.status != status or _place(lane) != place:
        raise ProtocolViolation("attempt_out_of_order", place)
    return lane


def _update_digests(lane: EvaluationLane, context: Context) -> tuple[UpdateDigest, ...]:
    return tuple(
        UpdateDigest(trainer=one.owner, digest=one.message.load(SignedMessage, context).digest())
        for one in lane.trained.updates
    )


def _place(lane: EvaluationLane) -> str:
    return f"{lane.trained.round}.{lane.attempt}"


def _timer(state: AggregatorState, name: str, round_number: int, attempt: int) -> SetTimer:
    seconds = float(request_of(state).deadlines.step_s)
    return SetTimer(name=f"{name}:{round_number}.{attempt}", seconds=seconds)


def _link(state: AggregatorState) -> TranscriptHead:
    assert state.link is not None
    return state.link


def _widths(state: AggregatorState) -> Widths:
    return training_widths(request_of(state), state.parties)
