"""The exchange with the buyer: masked weights out, their products in, and the next model out of the first."""

from typing import Any

from protocol.crypto.cipher import ShortExponentBlinder, write_ciphertexts
from protocol.crypto.randomness import SEED_BYTES, Randomness
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import MomentMask, moment_request
from protocol.learning.moments.products import next_model, rescaled_updates
from protocol.learning.moments.widths import Start
from protocol.learning.scales import MODEL_SCALE
from protocol.messages.rounds import MomentAnswer, MomentRequest
from protocol.roles.aggregator.attempts import (
    AskingLane,
    Exchange,
    KeptMask,
    MomentsLane,
    ProvenRound,
    Question,
    RepeatingLane,
    Rescaled,
)
from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.lanes import Answer, DistributedLane, TrainedRound
from protocol.roles.aggregator.rounds.view import TrainingView
from protocol.roles.aggregator.state import EndingState, TrainingState
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import Effect
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import BlobRef, replace, store
from protocol.roles.rounds.attempt import numbers_digest
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.products import read_mask, write_mask
from protocol.roles.shared.parties import require_sender
from protocol.types import RoundAttempt
from protocol.vectors import EncryptedVector

_FIRST = 1
"""The attempt out of whose answer a round's model is made."""


# ---- the question ----


def ask_for_round(state: TrainingState, lane: DistributedLane, context: Context) -> Step[TrainingState]:
    """Ask the buyer for the moments of a round whose updates are proven."""
    at = RoundAttempt(lane.round, _FIRST)
    start = TrainingView(state, context).start(lane.round, state.parties.validators, _FIRST)
    question, effects = ask(state, at, lane.updates, lane.start_model, start, context)
    asking = MomentsLane(
        round=lane.round,
        trainers=lane.trainers,
        start_model=lane.start_model,
        start_digest=lane.start_digest,
        carried=lane.carried,
        updates=lane.updates,
        question=question,
    )
    return Step(replace(state, training_lane=asking), effects)


def ask(
    state: TrainingState,
    at: RoundAttempt,
    answers: tuple[Answer, ...],
    start_model: BlobRef,
    start: Start,
    context: Context,
) -> tuple[Question, tuple[Effect, ...]]:
    """The request of an attempt, under a mask of its own that is kept, and its sending.

    Two requests under one mask would show the buyer what has changed between them.
    """
    view, key = TrainingView(state, context), state.key
    exchange = view.exchange(len(answers), start)
    vectors = exchange.measured(view.updates(answers), view.model(start_model))
    stream = context.randomness(Label.MOMENT_MASK)
    mask = MomentMask.draw(key, exchange.values, view.widths.moments.request, stream)
    masked = moment_request(key, vectors, view.widths.moments, mask)
    body = MomentRequest(
        masked=tuple(write_ciphertexts(key, masked)),
        trainers=len(answers),
        start=start.value,
        repetition=state.repetitions,
    )
    rhos, roots = write_mask(key, mask)
    kept_mask, mask_blob = store(KeptMask(masks=rhos, roots=roots))
    kept_body, body_blob = store(body)
    sent = message(context, state.opened.buyer, body, at)
    due = timers.MOMENTS.set(state.step_seconds, at)
    return Question(request=kept_body, mask=kept_mask), (mask_blob, body_blob, sent, due)


# ---- the answer ----


def on_first_answer(
    state: TrainingState, received: Received[MomentAnswer], context: Context
) -> Step[TrainingState]:
    """Take the masks out of the quotients: the round has its model, and the next one can be trained."""
    lane = state.training_lane
    assert isinstance(lane, MomentsLane)
    exchange, blob = answered(state, lane.question, received, context)
    made, effects = _made(state, lane.trainers.bit_count(), exchange, received.body, context)
    trained = ProvenRound(
        round=lane.round,
        trainers=lane.trainers,
        start_model=lane.start_model,
        carried=lane.carried,
        updates=lane.updates,
        **made,
    )
    carried, kept = carried_on(state, trained, context.knowing((blob, *effects)))
    after = replace(
        state,
        training_lane=None,
        trained=trained,
        next_model=trained.refreshed_model,
        next_round=lane.round + 1,
        carried=carried,
    )
    return Step(after, (blob, *effects, *kept, timers.MOMENTS.cancel(received.at)))


def made_again(
    state: TrainingState,
    trained: TrainedRound,
    exchange: Exchange,
    body: MomentAnswer,
    context: Context,
) -> tuple[ProvenRound, tuple[Effect, ...]]:
    """A repeated round with the next model of the trainers that remain, out of the repetition's answer."""
    made, effects = _made(state, trained.trainers.bit_count(), exchange, body, context)
    fields = {name: getattr(trained, name) for name in TrainedRound.model_fields}
    return ProvenRound(**{**fields, **made}), effects


def _made(
    state: TrainingState, trainers: int, exchange: Exchange, body: MomentAnswer, context: Context
) -> tuple[dict[str, Any], tuple[Effect, ...]]:
    """The fields of a round that the answer makes, and what they are kept in."""
    start = Start(exchange.request.load(MomentRequest, context).start)
    blinding = context.randomness(Label.NEXT_MODEL).bytes(SEED_BYTES)
    mask = exchange.mask.load(KeptMask, context)
    vector, rescaled = _unmasked(state, trainers, mask, body, start, blinding, context)
    kept_blinding, blinding_blob = store(blinding)
    model, model_blob = store(vector)
    kept_rescaled, rescaled_blob = store(Rescaled(numbers=rescaled))
    made = {
        "refreshed_model": model,
        "refreshed_digest": vector.digest(),
        "exchange": exchange,
        "blinding": kept_blinding,
    }
    if not rescaled:
        return made, (blinding_blob, model_blob)
    return {**made, "rescaled": kept_rescaled}, (blinding_blob, model_blob, rescaled_blob)


def carried_on(
    state: TrainingState, trained: TrainedRound, context: Context
) -> tuple[BlobRef | None, tuple[Effect, ...]]:
    """What trainers carry into the next round, and what it is kept in; nothing where models are averaged."""
    if trained.rescaled is None:
        return None, ()
    view = TrainingView(state, context)
    exchange = view.exchange(trained.trainers.bit_count(), Start.UNMEASURED)
    carried, blob = store(
        view.carried(trained.carried).after(
            state.key,
            state.parties.addresses(trained.trainers),
            trained.start_model.load(EncryptedVector, context),
            view.model(trained.refreshed_model),
            exchange.read_rescaled(trained.rescaled.load(Rescaled, context).numbers),
        )
    )
    return carried, (blob,)


def answered(
    state: TrainingState, question: Question, received: Received[MomentAnswer], context: Context
) -> tuple[Exchange, Effect]:
    """The exchange with its answer kept.

    Raises ProtocolViolation("other_request") for another's, StaleInput where a repetition has discarded one.
    """
    request = question.request.load(MomentRequest, context)
    digest = numbers_digest(request.masked)
    if received.body.request_digest != digest and state.model_number(received.at.round) > 1:
        raise StaleInput
    require(received.body.request_digest == digest, "other_request", "the answer names another request")
    kept, blob = store(received.signed)
    return Exchange(request=question.request, mask=question.mask, answer=kept), blob


def _unmasked(
    state: TrainingState,
    trainers: int,
    kept: KeptMask,
    body: MomentAnswer,
    start: Start,
    blinding: bytes,
    context: Context,
) -> tuple[EncryptedVector, tuple[bytes, ...]]:
    """x̃′, blinded by what the seed gives, and that can be shown; the θ̂_t, where trainers carry duals."""
    view, key = TrainingView(state, context), state.key
    exchange = view.exchange(trainers, start)
    digits = read_mask(kept.masks, kept.roots).digits(exchange.vectors, view.widths.moments)
    answer = exchange.read_answer(body.numbers)
    blinder = ShortExponentBlinder(key, state.blinding_seed)
    model = next_model(key, answer, digits, trainers, blinder, Randomness(blinding))
    rescaled = rescaled_updates(key, answer, digits)
    numbers = (one for row in rescaled for one in write_ciphertexts(key, row))
    return EncryptedVector.of(key, model, MODEL_SCALE), tuple(numbers)


def require_due(
    state: TrainingState, received: Received[MomentAnswer]
) -> AskingLane | RepeatingLane | MomentsLane:
    """The lane that waits for this answer.

    Raises StaleInput for one that no attempt waits for any more, ProtocolViolation("wrong_sender") and
    ("round_out_of_order").
    """
    require_sender(received.sender, state.opened.buyer)
    training, evaluation = state.training_lane, state.evaluation
    if isinstance(training, MomentsLane) and received.at == (training.round, _FIRST):
        return training
    if isinstance(evaluation, AskingLane | RepeatingLane) and received.at == evaluation.at:
        return evaluation
    if received.at.round < state.next_round or state.last_signed:
        raise StaleInput
    if state.repeated is not None and received.at == (state.repeated.round + 1, _FIRST):
        raise StaleInput  # a repetition of the round before has discarded the question
    raise ProtocolViolation("round_out_of_order", f"{received.at.round}.{received.at.attempt}")


def on_moments_late(
    state: TrainingState, at: RoundAttempt, context: Context
) -> Step[TrainingState | EndingState]:
    """The buyer is silent: what was recorded is settled, and there is no model."""
    lane, asking = state.training_lane, state.evaluation
    in_training = isinstance(lane, MomentsLane) and at == (lane.round, _FIRST)
    if not in_training and not (isinstance(asking, AskingLane | RepeatingLane) and asking.at == at):
        return Step.unchanged(state)
    return give_up(state, "buyer_silent", context, fault=state.opened.buyer)
