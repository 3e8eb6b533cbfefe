"""What a validator checks before it answers: whose turn it is, who takes part, what each trainer signed."""

from collections.abc import Sequence
from typing import TypeVar

from protocol.bodies import body_of
from protocol.crypto.cipher import PublicKey
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.metric import zero_sum_masks
from protocol.messages import GradientUpdate, LocalModels
from protocol.records import Market, RoundRecord
from protocol.roles.engine.context import Context
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import replace
from protocol.roles.owner.state import (
    CheckedEvaluation,
    Evaluation,
    MaskedEvaluation,
    MeasuredEvaluation,
    RunningState,
)
from protocol.roles.shared.exchange_keys import seats_with_keys
from protocol.roles.shared.metric_check import CheckedMetrics, check_metrics
from protocol.roles.shared.parties import public_key_of
from protocol.roles.shared.request_widths import started_widths
from protocol.roles.shared.signed_models import SignedModel
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import FrozenModel, RoundAttempt, digest_of

E = TypeVar("E", bound=Evaluation)
_TURNS: tuple[type[Evaluation], ...] = (MaskedEvaluation, MeasuredEvaluation, CheckedEvaluation)


def link_of(state: RunningState) -> TranscriptHead:
    """Where the chain of opened rounds stands; an attempt that is running has begun with it."""
    assert state.link is not None
    return state.link


def check_place(state: RunningState, at: RoundAttempt) -> None:
    """A new attempt replaces the running one; a round that was opened is never measured again.

    Raises StaleInput for a round that the others have finished without us.
    """
    if 1 <= at.round <= state.caught_up:
        raise StaleInput
    require(state.link is None or at.round > state.link.round, "already_opened")
    if state.evaluation is not None:
        require(at > state.evaluation.at, "attempt_out_of_order")
    if state.link is not None and at.round > state.link.round + 1:
        raise EarlyInput


def check_members(state: RunningState, body: LocalModels, context: Context) -> int:
    """The validators of the attempt as a mask: drawn on chain, enough to sign, this one among them.

    Each has an exchange key of its own: nothing could be masked against another's.
    """
    parties = state.parties
    require(context.address in body.validators, "not_a_validator")
    mask = parties.mask(body.validators)
    require(body.validators == parties.addresses(mask), "validators_out_of_order")
    require(mask & ~parties.validators == 0 and mask.bit_count() >= parties.quorum, "wrong_validators")
    require(mask & ~seats_with_keys(parties, context) == 0, "unusable_exchange_key")
    return mask


def check_trainers(state: RunningState, body: LocalModels) -> int:
    """The trainers whose updates are measured: drawn on chain, two at least, in seat order."""
    names = tuple(signed.envelope.sender for signed in body.updates)
    mask = state.parties.mask(names)
    require(names == state.parties.addresses(mask), "updates_out_of_order")
    require(mask & ~state.parties.trainers == 0 and mask.bit_count() >= 2, "wrong_trainers")
    return mask


def check_update(
    state: RunningState, signed: SignedMessage, round_number: int, start_digest: bytes, market: Market
) -> GradientUpdate:
    """One trainer's signed update: the aggregator cannot have made, changed or replayed it."""
    envelope = signed.envelope
    require(envelope.type == "gradient_update", "wrong_evidence", envelope.type)
    require((envelope.training, envelope.round) == (state.training, round_number), "wrong_evidence")
    signed.verify(market)
    update = body_of(signed, GradientUpdate)
    require(update.start_digest == start_digest, "wrong_start_model", envelope.sender)
    return update


def running_evaluation(state: RunningState, received: Received[FrozenModel], kind: type[E]) -> E:
    """The running attempt, if the message is for it and in its turn; StaleInput where it is over."""
    at = received.at
    if 1 <= at.round <= state.caught_up:
        raise StaleInput
    running = state.evaluation
    if running is None:
        done = state.link.round if state.link is not None else 0
        require(at.round > done, "attempt_out_of_order")
        raise EarlyInput
    require(at >= running.at, "attempt_out_of_order")
    if at > running.at or _TURNS.index(type(running)) < _TURNS.index(kind):
        raise EarlyInput
    if not isinstance(running, kind):
        raise ProtocolViolation("asked_twice")
    return running


def with_model(state: RunningState, shown: Evaluation | None, record: RoundRecord) -> RunningState:
    """With the model that this evaluation has shown, if it is the one that the record names."""
    if shown is None or shown.refreshed_digest != record.delivered_digest:
        return state
    model = SignedModel(round=record.round, model=shown.refreshed_model, digest=shown.refreshed_digest)
    return replace(state, signed_models=(*state.signed_models, model))


def checked_metrics(
    state: RunningState, evaluation: Evaluation, metrics: Sequence[SignedMessage], context: Context
) -> CheckedMetrics:
    """The relayed metrics of the attempt, checked as everyone checks them."""
    return check_metrics(
        metrics,
        market=context.market,
        training=state.training,
        round_number=evaluation.round,
        attempt=evaluation.attempt,
        parties=state.parties,
        widths=started_widths(state.request, state.parties),
        key=public_key_of(state.n),
        link=link_of(state),
    )


def own_masks(
    state: RunningState, evaluation: Evaluation, key: PublicKey, count: int, context: Context
) -> list[int]:
    """This validator's masks, which vanish only in the product over all members of the attempt."""
    members = state.parties.addresses(evaluation.validators)
    others = {member: context.exchange_keys[member] for member in members if member != context.address}
    place = digest_of(
        state.training.to_bytes(8, "big"),
        evaluation.round.to_bytes(4, "big"),
        evaluation.attempt.to_bytes(4, "big"),
        *(bytes.fromhex(member[2:]) for member in members),
        evaluation.start_digest,
        *evaluation.update_digests,
        evaluation.refreshed_digest,
    )
    return zero_sum_masks(
        key,
        own_address=context.address,
        secret=context.exchange_secret,
        others=others,
        place=place,
        count=count,
    )
