"""A data owner as trainer: N local gradient steps on a model it cannot read."""

from protocol.codec import unpack
from protocol.crypto.cipher import ShortExponentBlinder
from protocol.learning.descent import local_model
from protocol.learning.kinds.registry import kind_of
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE
from protocol.learning.statistic import Statistic
from protocol.messages import EncryptedModel, GradientUpdate
from protocol.requirements import asked_factor
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.effects import RecordFact
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace, store
from protocol.roles.engine.untyped import Received
from protocol.roles.owner.state import OwnerState, TrainerAnswer
from protocol.roles.shared.parties import public_key_of, require_sender
from protocol.vectors import EncryptedVector


def statistic_of(state: OwnerState, context: Context) -> Statistic:
    """The statistic of the state's data set."""
    # Before the training is joined there is no copy, nor in one that an earlier version joined.
    kept = state.statistic
    content = context.private[f"data_set:{state.data_set}"] if kept is None else kept.raw(context)
    return Statistic.from_bytes(content)


def on_encrypted_model(state: OwnerState, received: Received, context: Context) -> Step[OwnerState]:
    """Answer the round's model with the local model; the same question again gets the same answer."""
    request, data_set = state.request, state.data_set
    assert request is not None
    assert data_set is not None
    require_sender(received.sender, request.aggregator)
    require(context.address in state.parties.addresses(state.parties.trainers), "not_a_trainer")
    envelope = received.envelope
    body: EncryptedModel = received.body
    require(1 <= envelope.round <= request.schedule.rounds, "round_out_of_order")
    start_digest = body.model.digest()
    place = (envelope.round, envelope.attempt)
    if state.answer is not None:
        last = (state.answer.round, state.answer.attempt)
        require((envelope.round, envelope.attempt) >= last, "round_out_of_order")
        if (envelope.round, envelope.attempt) == last:
            # Two models for one round would let the aggregator compare what a trainer makes of each.
            require(start_digest == state.answer.start_digest, "second_model_for_round")
            again = unpack(GradientUpdate, state.answer.update.raw(context))
            label = envelope.message_id.hex()
            return Step(state, (message(context, received.sender, again, place, label=label),))
    update = _update(state, body, start_digest, context)
    stored, blob = store(update)
    answer = TrainerAnswer(
        round=envelope.round, attempt=envelope.attempt, start_digest=start_digest, update=stored
    )
    fact = RecordFact(name="trained", data={"round": envelope.round})
    return Step(replace(state, answer=answer), (blob, message(context, received.sender, update, place), fact))


def _update(state: OwnerState, body: EncryptedModel, start_digest: bytes, context: Context) -> GradientUpdate:
    request = state.request
    assert request is not None
    key = public_key_of(state.n)
    model = body.model.read(key, scale=MODEL_SCALE, count=request.parameters)
    matrix, offset = kind_of(request).training_map(request, statistic_of(state, context))
    blinder = ShortExponentBlinder(key, state.blinding_seed)
    trained = local_model(key, matrix, offset, model, blinder, context.randomness("blinding"))
    return GradientUpdate(
        local_model=EncryptedVector.of(key, trained, MODEL_SCALE + COEFFICIENT_SCALE),
        start_digest=start_digest,
    )
