"""A data owner as validator: measures models it cannot read on rows it does not show, signs the result."""

from collections.abc import Sequence
from typing import Any

from gmpy2 import mpz

from protocol.bodies import body_of
from protocol.errors import ProtocolViolation
from protocol.learning.kinds.registry import kind_of
from protocol.learning.metric import ResidualState, encrypted_metrics, masked_residuals
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE
from protocol.learning.widths import Widths
from protocol.messages import (
    EncryptedMetric,
    LocalModels,
    MetricProducts,
    NoisyMetric,
    Opening,
    OpeningRefused,
    OpeningRequest,
    UpdateDigest,
)
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace, store
from protocol.roles.owner.recording import accuse_in_turn, other_record, signature_to_all
from protocol.roles.owner.state import (
    CheckedEvaluation,
    Evaluation,
    MaskedEvaluation,
    MeasuredEvaluation,
    OwnerState,
    RunningState,
)
from protocol.roles.owner.trainer import statistic_of
from protocol.roles.owner.validator_checks import (
    check_members,
    check_place,
    check_trainers,
    check_update,
    checked_metrics,
    link_of,
    own_masks,
    running_evaluation,
    with_model,
)
from protocol.roles.shared.accusing import false_opening, require_signed_openings
from protocol.roles.shared.metric_check import build_record, check_openings
from protocol.roles.shared.parties import public_key_of, require_sender
from protocol.roles.shared.request_widths import started_widths
from protocol.roles.shared.signed_rounds import SignedRound, with_round
from protocol.roles.shared.transcript import TranscriptHead
from protocol.signatures import recover_address, sign_digest
from protocol.types import digest_of
from protocol.vectors import PackedVector


def on_local_models(
    state: RunningState, received: Received[LocalModels], context: Context
) -> Step[OwnerState]:
    """Check the round's signed updates and send the buyer every model's residuals, encrypted and masked."""
    require_sender(received.sender, state.request.aggregator)
    widths, key, body, at = (
        started_widths(state.request, state.parties),
        public_key_of(state.n),
        received.body,
        received.at,
    )
    check_place(state, at)
    validators = check_members(state, body, context)
    link = _checked_start(state, body, at.round, validators)
    updates = [
        check_update(state, signed, at.round, link.model_digest, context.market) for signed in body.updates
    ]
    trainers = check_trainers(state, body)
    start = body.start_model.read(key, scale=MODEL_SCALE, count=state.request.parameters)
    body.refreshed_model.read(key, scale=MODEL_SCALE, count=state.request.parameters)
    models = [
        update.local_model.read(key, scale=MODEL_SCALE + COEFFICIENT_SCALE, count=state.request.parameters)
        for update in updates
    ]
    packed, residuals = masked_residuals(
        key,
        kind_of(state.request).measuring_factor(state.request, statistic_of(state, context)),
        models,
        start=start if body.measure_start else None,
        widths=widths,
        randomness=context.randomness("residuals"),
    )
    refreshed, refreshed_blob = store(body.refreshed_model)
    kept, kept_blob = store(residuals.to_bytes(key))
    evaluation = MaskedEvaluation(
        round=at.round,
        attempt=at.attempt,
        trainers=trainers,
        validators=validators,
        measure_start=body.measure_start,
        start_digest=link.model_digest,
        update_digests=tuple(signed.digest() for signed in body.updates),
        refreshed_digest=body.refreshed_model.digest(),
        refreshed_model=refreshed,
        residuals=kept,
    )
    sent = message(context, state.opened.buyer, _noisy_metric(state, evaluation, packed, widths), at)
    return Step(replace(state, link=link, evaluation=evaluation), (refreshed_blob, kept_blob, sent))


def _checked_start(
    state: RunningState, body: LocalModels, round_number: int, validators: int
) -> TranscriptHead:
    """Where the chain of opened rounds stands; the attempt starts from its model."""
    first = TranscriptHead(model_digest=body.start_model.digest(), transcript=state.request.hash())
    link = state.link or first
    require(round_number == link.round + 1, "round_out_of_order")
    require(body.start_model.digest() == link.model_digest, "wrong_start_model")
    require(body.measure_start == link.measures_start(validators), "wrong_start_measurement")
    require(not link.names(body.refreshed_model.digest()), "model_of_an_earlier_round")
    return link


def _noisy_metric(
    state: RunningState, evaluation: Evaluation, packed: Sequence[mpz], widths: Widths
) -> NoisyMetric:
    models = evaluation.trainers.bit_count() + int(evaluation.measure_start)
    return NoisyMetric(
        masked_residuals=PackedVector.of(
            public_key_of(state.n),
            packed,
            scale=widths.residual_scale,
            count=models * (state.request.parameters + 1),
            slot_bits=widths.residual.slot_bits,
        ),
        models=models,
        measure_start=evaluation.measure_start,
        check_digest=digest_of(*evaluation.update_digests, evaluation.refreshed_digest),
    )


def on_metric_products(
    state: RunningState, received: Received[MetricProducts], context: Context
) -> Step[OwnerState]:
    """Take the masks out of the buyer's products, add noise, send the encrypted metric to the aggregator."""
    require_sender(received.sender, state.opened.buyer)
    evaluation = running_evaluation(state, received, MaskedEvaluation)
    widths = started_widths(state.request, state.parties)
    key = public_key_of(state.n)
    body = received.body
    trainers = evaluation.trainers.bit_count()
    own = body.own.read(key, scale=widths.metric_scale, count=trainers + int(evaluation.measure_start))
    cross = body.cross.read(key, scale=widths.metric_scale, count=trainers)
    count = widths.metric_count(trainers, start=evaluation.measure_start)
    values = encrypted_metrics(
        key,
        ResidualState.from_bytes(evaluation.residuals.raw(context)),
        own,
        cross,
        rows=state.parties.rows_by_owner()[context.address],
        widths=widths,
        target_range=state.request.target_range,
        zero_sum=own_masks(state, evaluation, key, widths.opening.plaintexts(count), context),
        randomness=context.randomness("metrics"),
    )
    vector = PackedVector.of(
        key, values, scale=widths.metric_scale, count=count, slot_bits=widths.opening.slot_bits
    )
    names = state.parties.addresses(evaluation.trainers)
    metric = EncryptedMetric(
        values=vector,
        rows=state.parties.rows_by_owner()[context.address],
        measure_start=evaluation.measure_start,
        start_digest=evaluation.start_digest,
        updates=tuple(
            UpdateDigest(trainer=trainer, digest=digest)
            for trainer, digest in zip(names, evaluation.update_digests, strict=True)
        ),
        refreshed_digest=evaluation.refreshed_digest,
    )
    measured = MeasuredEvaluation(**_common(evaluation), own_values=vector.digest())
    sent = message(context, state.request.aggregator, metric, evaluation.at)
    return Step(replace(state, evaluation=measured), (sent,))


def on_opening_request(
    state: RunningState, received: Received[OpeningRequest], context: Context
) -> Step[OwnerState]:
    """Check that the aggregator shows all metrics, this validator's own unchanged among them."""
    require_sender(received.sender, state.request.aggregator)
    evaluation = running_evaluation(state, received, MeasuredEvaluation)
    body = received.body
    checked = checked_metrics(state, evaluation, body.metrics, context)
    require(checked.validators == evaluation.validators, "wrong_members")
    own = [metric for metric in body.metrics if metric.envelope.sender == context.address]
    require(len(own) == 1, "own_metric_missing")
    sent = body_of(own[0], EncryptedMetric)
    require(sent.values.digest() == evaluation.own_values, "own_metric_changed")
    require(tuple(update.digest for update in checked.updates) == evaluation.update_digests, "other_updates")
    require(checked.refreshed_digest == evaluation.refreshed_digest, "other_refreshed_model")
    shown, blob = store(body)
    evaluated = CheckedEvaluation(
        **_common(evaluation), own_values=evaluation.own_values, shown_metrics=shown
    )
    return Step(replace(state, evaluation=evaluated), (blob,))


def _common(evaluation: Evaluation) -> dict[str, Any]:
    """What the next step of an attempt still knows."""
    return {name: value for name, value in evaluation if name in Evaluation.model_fields}


def on_opening(state: RunningState, received: Received[Opening], context: Context) -> Step[OwnerState]:
    """Check the buyer's opening and record against what this validator works out itself, then sign."""
    require_sender(received.sender, state.opened.buyer)
    body = received.body
    if accusation := other_record(state, body, context):
        return accuse_in_turn(state, accusation, context)
    evaluation = running_evaluation(state, received, CheckedEvaluation)
    link = link_of(state)
    key = public_key_of(state.n)
    checked = checked_metrics(
        state, evaluation, evaluation.shown_metrics.load(OpeningRequest, context).metrics, context
    )
    try:
        check_openings(key, checked.products, body.plaintexts, body.roots, context)
    except ProtocolViolation:
        if refuted := false_opening(key, state.opened, checked, body, context):
            return accuse_in_turn(state, refuted, context)
        raise
    require_signed_openings(key, state.opened, checked, body, context)
    record = build_record(
        checked,
        list(body.plaintexts),
        request=state.request,
        widths=started_widths(state.request, state.parties),
        link=link,
    )
    if record is None or record != body.record:
        raise ProtocolViolation("wrong_record")
    digest = record.digest(context.market)
    require(recover_address(digest, body.signature) == state.opened.buyer, "bad_record_signature")
    signature = sign_digest(context.signing_key, digest)
    held = SignedRound(
        record=record, buyer_signature=body.signature, signatures=((context.address, signature),)
    )
    after = with_model(replace(state, link=link.next(record), evaluation=None), evaluation, record)
    sent = signature_to_all(state, held, evaluation.validators, evaluation.at, context)
    return Step(with_round(after, held), (*sent, facts.VALIDATED.of(round=evaluation.round)))


def on_opening_refused(
    state: RunningState, received: Received[OpeningRefused], _context: Context
) -> Step[OwnerState]:
    """The buyer found the sum implausible: this attempt ends without numbers."""
    require_sender(received.sender, state.opened.buyer)
    running_evaluation(state, received, CheckedEvaluation)
    fact = facts.IMPLAUSIBLE.of(round=received.at.round)
    return Step(replace(state, evaluation=None), (fact,))
