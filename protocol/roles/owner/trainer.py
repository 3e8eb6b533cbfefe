"""A data owner as trainer: N local gradient steps on a model it cannot read."""

from protocol.codec import unpack
from protocol.crypto.cipher import ShortExponentBlinder
from protocol.learning.descent import local_model
from protocol.learning.kinds.registry import kind_of
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE
from protocol.learning.statistic import Statistic
from protocol.messages import EncryptedModel, GradientUpdate
from protocol.roles.engine import facts, private
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace, store
from protocol.roles.owner.state import JoinedState, OwnerState, RunningState, TrainerAnswer
from protocol.roles.shared.parties import public_key_of, require_sender
from protocol.vectors import EncryptedVector


def statistic_of(state: JoinedState, context: Context) -> Statistic:
    """The statistic of the data set as it was joined with."""
    kept = state.statistic
    content = context.private[private.DATA_SET.name_of(state.data_set)] if kept is None else kept.raw(context)
    return Statistic.from_bytes(content)


def on_encrypted_model(
    state: RunningState, received: Received[EncryptedModel], context: Context
) -> Step[OwnerState]:
    """Answer the round's model with the local model; the same question again gets the same answer."""
    require_sender(received.sender, state.request.aggregator)
    require(context.address in state.parties.addresses(state.parties.trainers), "not_a_trainer")
    at, model = received.at, received.body.model
    require(1 <= at.round <= state.request.schedule.rounds, "round_out_of_order")
    start_digest = model.digest()
    if state.answer is not None:
        require(at >= state.answer.at, "round_out_of_order")
        if at == state.answer.at:
            # Two models for one round would let the aggregator compare what a trainer makes of each.
            require(start_digest == state.answer.start_digest, "second_model_for_round")
            again = unpack(GradientUpdate, state.answer.update.raw(context))
            label = received.envelope.message_id.hex()
            return Step.unchanged(state, message(context, received.sender, again, at, label=label))
    update = _update(state, model, start_digest, context)
    stored, blob = store(update)
    answer = TrainerAnswer(round=at.round, attempt=at.attempt, start_digest=start_digest, update=stored)
    sent = message(context, received.sender, update, at)
    return Step(replace(state, answer=answer), (blob, sent, facts.TRAINED.of(round=at.round)))


def _update(
    state: RunningState, model: EncryptedVector, start_digest: bytes, context: Context
) -> GradientUpdate:
    request, key = state.request, public_key_of(state.n)
    start = model.read(key, scale=MODEL_SCALE, count=request.parameters)
    matrix, offset = kind_of(request).training_map(request, statistic_of(state, context))
    blinder = ShortExponentBlinder(key, state.blinding_seed)
    trained = local_model(key, matrix, offset, start, blinder, context.randomness("blinding"))
    return GradientUpdate(
        local_model=EncryptedVector.of(key, trained, MODEL_SCALE + COEFFICIENT_SCALE),
        start_digest=start_digest,
    )
