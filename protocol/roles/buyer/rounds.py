"""The model buyer in a round: it answers with its key what it must not understand.

It decrypts masked digits (refresh, metric) and one opened sum per round, each question once.
"""

from typing import Literal, TypeVar

from protocol.crypto.cipher import open_ciphertexts
from protocol.learning.metric import products
from protocol.learning.refresh import refresh_model
from protocol.learning.scales import MODEL_SCALE
from protocol.messages import (
    MetricProducts,
    NoisyMetric,
    Opening,
    OpeningRefused,
    OpeningRequest,
    RefreshAnswer,
    RefreshRequest,
    TrainingStarted,
)
from protocol.roles.buyer.state import (
    Answered,
    BuyerStep,
    RunningState,
    private_key_of,
    stall_timer,
)
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import PhaseState, replace
from protocol.roles.engine.table import Handler
from protocol.roles.shared.accusing import sign_openings
from protocol.roles.shared.metric_check import build_record, check_metrics
from protocol.roles.shared.parties import require_sender
from protocol.roles.shared.request_widths import started_parties, started_widths
from protocol.roles.shared.signed_rounds import SignedRound, with_round
from protocol.signatures import sign_digest
from protocol.types import FrozenModel
from protocol.vectors import EncryptedVector

C = TypeVar("C")
R = TypeVar("R", bound=RunningState)


def on_training_started(
    state: RunningState, started: Received[TrainingStarted], _context: Context
) -> BuyerStep:
    """Note the row counts, if the roles are those drawn on chain."""
    require_sender(started.sender, state.request.aggregator)
    body = started.body
    require(not state.parties.has_started(), "already_started")
    parties = started_parties(state.request, state.parties, body)
    fact = facts.STARTED.of(trainers=list(body.trainers), validators=list(body.validators))
    return Step(replace(state, parties=parties), (fact,))


def unless_stopped(handler: Handler[R, C]) -> Handler[R, C]:
    """A handler that no longer answers once the operator has stopped the training."""

    def handle(state: R, content: C, context: Context) -> Step[PhaseState]:
        return Step.unchanged(state) if state.stopped else handler(state, content, context)

    return handle


def on_refresh_request(state: RunningState, asked: Received[RefreshRequest], context: Context) -> BuyerStep:
    """Divide the masked sum of a round's updates and encrypt it freshly, once per round and attempt."""
    require_sender(asked.sender, state.request.aggregator)
    envelope = asked.envelope
    # Training runs at most one round ahead of measuring, and a round is measured only after the one before.
    require(state.link.round < envelope.round <= state.link.round + 2, "round_out_of_order")
    require(envelope.round <= state.request.schedule.rounds, "round_out_of_order")
    question = _unanswered(state, "refresh", asked)
    widths = started_widths(state.request, state.parties)
    private = private_key_of(context)
    trainers = widths.trainers_of(int(asked.body.divisor))
    require(2 <= trainers <= state.parties.trainers.bit_count(), "wrong_divisor")
    count = state.request.parameters
    masked = asked.body.masked.read(
        private.public_key,
        scale=widths.update_scale,
        count=count,
        slot_bits=widths.refresh.slot_bits,
        ciphertexts=widths.refresh.plaintexts(count),
    )
    model = refresh_model(
        private, masked, count, int(asked.body.divisor), widths, context.randomness("refresh")
    )
    answer = RefreshAnswer(model=EncryptedVector.of(private.public_key, model, MODEL_SCALE))
    return Step(_answered(state, question), (message(context, asked.sender, answer, asked.at),))


def on_noisy_metric(state: RunningState, asked: Received[NoisyMetric], context: Context) -> BuyerStep:
    """Multiply a validator's masked residuals, once per validator and attempt."""
    envelope = asked.envelope
    body = asked.body
    seat = state.parties.seat_of(asked.sender)
    require(state.parties.validators >> seat & 1 == 1, "not_a_validator")
    if 1 <= envelope.round <= state.link.round:
        raise StaleInput  # the round was opened without it
    require(envelope.round == state.link.round + 1, "round_out_of_order")
    question = _unanswered(state, "metric", asked)
    widths = started_widths(state.request, state.parties)
    private = private_key_of(context)
    residuals = state.request.parameters + 1
    limit = state.parties.trainers.bit_count() + 1
    require(2 <= body.models <= limit, "wrong_model_count")
    start = body.measure_start
    trainers = body.models - int(start)
    require(2 <= trainers < limit, "wrong_model_count")
    count = body.models * residuals
    masked = body.masked_residuals.read(
        private.public_key,
        scale=widths.residual_scale,
        count=count,
        slot_bits=widths.residual.slot_bits,
        ciphertexts=widths.residual.plaintexts(count),
    )
    own, cross = products(
        private,
        masked,
        models=body.models,
        start=start,
        residuals=residuals,
        widths=widths,
        randomness=context.randomness("products"),
    )
    answer = MetricProducts(
        own=EncryptedVector.of(private.public_key, own, widths.metric_scale),
        cross=EncryptedVector.of(private.public_key, cross, widths.metric_scale),
    )
    return Step(_answered(state, question), (message(context, asked.sender, answer, asked.at),))


def on_opening_request(state: RunningState, asked: Received[OpeningRequest], context: Context) -> BuyerStep:
    """Open the sum of a round's metrics with proof and sign the record that follows from it."""
    require_sender(asked.sender, state.request.aggregator)
    envelope = asked.envelope
    # One set of members per round: the difference of two openings would show a single validator's numbers.
    require(envelope.round not in state.opened_sets, "already_opened")
    widths = started_widths(state.request, state.parties)
    private = private_key_of(context)
    checked = check_metrics(
        asked.body.metrics,
        market=context.market,
        training=envelope.training,
        round_number=envelope.round,
        attempt=envelope.attempt,
        parties=state.parties,
        widths=widths,
        key=private.public_key,
        link=state.link,
    )
    require(checked.start_digest == state.link.model_digest, "wrong_start_model")
    openings = open_ciphertexts(private, checked.products)
    plaintexts = [int(opening.plaintext) for opening in openings]
    record = build_record(checked, plaintexts, request=state.request, widths=widths, link=state.link)
    members = state.parties.addresses(checked.validators)
    recipients = (state.request.aggregator, *members)
    sets = (*state.opened_sets, envelope.round)
    if record is None:
        refused = tuple(message(context, to, OpeningRefused(), asked.at) for to in recipients)
        fact = facts.IMPLAUSIBLE.of(round=envelope.round)
        return Step(replace(state, opened_sets=sets), (*refused, fact))
    signature = sign_digest(context.signing_key, record.digest(context.market))
    pairs = [(int(opening.plaintext), int(opening.root)) for opening in openings]
    opening = Opening(
        plaintexts=tuple(plaintexts),
        roots=tuple(root for _, root in pairs),
        record=record,
        signature=signature,
        opening_signatures=sign_openings(private.public_key, checked, pairs, context),
    )
    sent = tuple(message(context, to, opening, asked.at) for to in recipients)
    after = replace(
        state, opened_sets=sets, link=state.link.next(record), answered=_recent(state, record.round)
    )
    signed = with_round(after, SignedRound(record=record, buyer_signature=signature))
    return Step(signed, (*sent, stall_timer(state, context)))


def _unanswered(
    state: RunningState, kind: Literal["refresh", "metric"], asked: Received[FrozenModel]
) -> Answered:
    """A second answer to one question would show the buyer's peer two masks of the same value."""
    question = Answered(kind=kind, round=asked.at.round, attempt=asked.at.attempt, asker=asked.sender)
    require(question not in state.answered, "asked_twice")
    return question


def _answered(state: RunningState, question: Answered) -> RunningState:
    return replace(state, answered=(*state.answered, question))


def _recent(state: RunningState, round_number: int) -> tuple[Answered, ...]:
    return tuple(question for question in state.answered if question.round >= round_number)
