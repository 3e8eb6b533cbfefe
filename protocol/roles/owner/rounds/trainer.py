"""A data owner as trainer in a checked round: the map that it has committed to, on a model it cannot read."""

from protocol.codec import unpack
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from protocol.messages import EncryptedModel
from protocol.messages.rounds import ProvenUpdate
from protocol.roles.engine import facts
from protocol.roles.engine.context import Context, Step, message
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.owner.committing import OwnerSecrets
from protocol.roles.owner.state import OwnerState, RunningState, TrainerAnswer
from protocol.roles.rounds.attempt import identity_of
from protocol.roles.rounds.implausible import read_refusal
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.proofs import update_proofs
from protocol.roles.rounds.start import start_model
from protocol.roles.rounds.started import commitments_of
from protocol.roles.shared.parties import public_key_of, require_sender
from protocol.types import RoundAttempt
from protocol.vectors import EncryptedVector


def on_encrypted_model(
    state: RunningState, received: Received[EncryptedModel], context: Context
) -> Step[OwnerState]:
    """Answer the round's model with the local model and its proof; asked again, with the same bytes.

    One model for a round, whatever the attempt: with the answers to two the aggregator would compare what
    the map makes of each. The first one is public, and no other is answered in its place. Where the round
    before was repeated the round has another one, which is answered as well.
    """
    require_sender(received.sender, state.request.aggregator)
    require(context.address in state.parties.addresses(state.parties.trainers), "not_a_trainer")
    at, model = received.at, received.body.model
    require(1 <= at.round <= state.request.schedule.rounds, "round_out_of_order")
    start_digest, answer = model.digest(), state.answer
    if answer is not None and at.round <= answer.round:
        require(at.round == answer.round, "round_out_of_order")
        if start_digest == answer.start_digest:
            again = unpack(ProvenUpdate, answer.update.raw(context))
            label = received.envelope.message_id.hex()
            return Step.unchanged(state, message(context, received.sender, again, at, label=label))
        if at.attempt < answer.attempt:
            raise StaleInput  # what a repetition of the round before has discarded came late
        _require_repetition(state, received, answer, context)
    if state.request.schedule.begins_fold(at.round):
        public = start_model(state.request, public_key_of(state.n))
        require(start_digest == public.digest(), "wrong_start_model")
    update = _update(state, model, at.round, context)
    stored, blob = store(update)
    kept = TrainerAnswer(round=at.round, attempt=at.attempt, start_digest=start_digest, update=stored)
    sent = message(context, received.sender, update, at)
    return Step(replace(state, answer=kept), (blob, sent, facts.TRAINED.of(round=at.round)))


def _require_repetition(
    state: RunningState, received: Received[EncryptedModel], answer: TrainerAnswer, context: Context
) -> None:
    """Check that another model of a round comes with the buyer's word against the round before it.

    Each such word has one model answered, which stands at the number after the word's attempt. Raises
    ProtocolViolation: "second_model_for_round", or "wrong_refusal".
    """
    at, refused = received.at, received.body.refused
    require(refused is not None and at.attempt > answer.attempt, "second_model_for_round")
    assert refused is not None
    before = RoundAttempt(at.round - 1, at.attempt - 1)
    read_refusal(refused, context.market, state.training, before, state.opened.buyer)


def _update(state: RunningState, model: EncryptedVector, round_number: int, context: Context) -> ProvenUpdate:
    """D_1 … D_p over the committed base, with their proof."""
    request, key = state.request, public_key_of(state.n)
    start = model.read(key, scale=MODEL_SCALE, count=request.parameters)
    identity = identity_of(context, state.training, key)
    proofs = update_proofs(key, identity, round_number, start, request)
    rows = state.secrets.load(OwnerSecrets, context).map_rows()[proofs.asked_rows]
    commitments = commitments_of(context.address, state.committed)
    update, exponents = proofs.update(rows, commitments.base, context.randomness(Label.UPDATE))
    masks = proofs.draw_masks(context.randomness(Label.UPDATE_PROOF))
    proof = proofs.prove(commitments, rows, update, exponents, masks)
    return ProvenUpdate(
        local_model=EncryptedVector.of(key, update, UPDATE_SCALE),
        start_digest=model.digest(),
        proof=tuple(proof.write(key, proofs.bounds)),
        head=context.kept_head,
    )
