"""What a validator checks before it answers: whose turn it is, who takes part, what each trainer signed."""

from collections.abc import Sequence

from protocol.bodies import body_of
from protocol.crypto.cipher import PublicKey
from protocol.envelope import SignedMessage
from protocol.learning.metric import zero_sum_masks
from protocol.learning.widths import Widths
from protocol.messages import (
    GradientUpdate,
    LocalModels,
)
from protocol.request import Request
from protocol.roles.engine.context import Context
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.untyped import Received
from protocol.roles.owner.state import Evaluation, OwnerState
from protocol.roles.shared.metric_check import CheckedMetrics, check_metrics
from protocol.roles.shared.parties import public_key_of
from protocol.roles.shared.request_widths import training_widths
from protocol.types import digest_of


def request_of(state: OwnerState) -> Request:
    """The request; every phase in which a validator works has one."""
    assert state.request is not None
    return state.request


def widths_of(state: OwnerState) -> Widths:
    """The training's slot widths; EarlyInput until the aggregator has told the row counts."""
    if not state.parties.has_started():
        raise EarlyInput
    return training_widths(request_of(state), state.parties)


def check_place(state: OwnerState, round_number: int, attempt: int) -> None:
    """A new attempt replaces the running one; a round that was opened is never measured again.

    Raises StaleInput for a round that the others have finished without us.
    """
    if 1 <= round_number <= state.caught_up:
        raise StaleInput
    require(state.link is None or round_number > state.link.round, "already_opened")
    running = state.evaluation
    if running is not None:
        require((round_number, attempt) > (running.round, running.attempt), "attempt_out_of_order")
    if state.link is not None and round_number > state.link.round + 1:
        raise EarlyInput


def check_members(state: OwnerState, body: LocalModels, context: Context) -> int:
    """The validators of the attempt as a mask: drawn on chain, two at least, this one among them."""
    parties = state.parties
    require(context.address in body.validators, "not_a_validator")
    mask = parties.mask(body.validators)
    require(body.validators == parties.addresses(mask), "validators_out_of_order")
    require(mask & ~parties.validators == 0 and mask.bit_count() >= 2, "wrong_validators")
    return mask


def check_trainers(state: OwnerState, body: LocalModels) -> int:
    """The trainers whose updates are measured: drawn on chain, two at least, in seat order."""
    names = tuple(signed.envelope.sender for signed in body.updates)
    mask = state.parties.mask(names)
    require(names == state.parties.addresses(mask), "updates_out_of_order")
    require(mask & ~state.parties.trainers == 0 and mask.bit_count() >= 2, "wrong_trainers")
    return mask


def check_update(
    state: OwnerState, signed: SignedMessage, round_number: int, start_digest: bytes
) -> GradientUpdate:
    """One trainer's signed update: the aggregator cannot have made, changed or replayed it."""
    envelope = signed.envelope
    require(envelope.type == "gradient_update", "wrong_evidence", envelope.type)
    require((envelope.training, envelope.round) == (state.training, round_number), "wrong_evidence")
    signed.verify()
    update = body_of(signed, GradientUpdate)
    require(update.start_digest == start_digest, "wrong_start_model", envelope.sender)
    return update


def running_evaluation(state: OwnerState, received: Received, status: str) -> Evaluation:
    """The running attempt, if the message is for it and in its turn; StaleInput where it is over."""
    place = (received.envelope.round, received.envelope.attempt)
    if 1 <= place[0] <= state.caught_up:
        raise StaleInput
    running = state.evaluation
    if running is None:
        done = state.link.round if state.link is not None else 0
        require(place[0] > done, "attempt_out_of_order")
        raise EarlyInput
    require(place >= (running.round, running.attempt), "attempt_out_of_order")
    order = ("masked", "measured", "checked")
    if place > (running.round, running.attempt) or order.index(running.status) < order.index(status):
        raise EarlyInput
    require(running.status == status, "asked_twice")
    return running


def checked_metrics(
    state: OwnerState, evaluation: Evaluation, metrics: Sequence[SignedMessage]
) -> CheckedMetrics:
    """The relayed metrics of the attempt, checked as everyone checks them."""
    assert state.link is not None
    return check_metrics(
        metrics,
        training=state.training,
        round_number=evaluation.round,
        attempt=evaluation.attempt,
        parties=state.parties,
        widths=widths_of(state),
        key=public_key_of(state.n),
        link=state.link,
    )


def own_masks(
    state: OwnerState, evaluation: Evaluation, key: PublicKey, count: int, context: Context
) -> list[int]:
    """This validator's masks, which vanish only in the product over all members of the attempt."""
    members = state.parties.addresses(evaluation.validators)
    others = {one: context.exchange_keys[one] for one in members if one != context.address}
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
