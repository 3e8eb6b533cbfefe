"""The two lanes of a running training: one round is trained while the round before it is measured."""

from typing import Literal

from protocol.errors import ProtocolViolation
from protocol.records import RoundRecord
from protocol.roles.engine.state import BlobRef
from protocol.types import (
    Address,
    AttemptNumber,
    Digest,
    EcdsaSignature,
    FrozenModel,
    RoundAttempt,
    RoundNumber,
    Seats,
)


class Answer(FrozenModel):
    """What one owner sent: the signed message, kept whole so that others can check it."""

    owner: Address
    message: BlobRef


# ---- training ----


class _RoundInTraining(FrozenModel):
    """`carried` is what trainers have carried into it (`rounds.carried`), None where models are averaged."""

    round: RoundNumber
    trainers: Seats
    start_model: BlobRef
    start_digest: Digest
    carried: BlobRef | None = None
    updates: tuple[Answer, ...] = ()


class DistributedLane(_RoundInTraining):
    """The trainers have the round's model; their updates are due."""

    status: Literal["distributed"] = "distributed"


class TrainedRound(FrozenModel):
    """A trained and refreshed round on its way to evaluation.

    Where trainers carry duals, `carried` is what they have carried into it, and `rescaled` their models at
    the next one's scale (`attempts.Rescaled`).
    """

    round: RoundNumber
    trainers: Seats
    start_model: BlobRef
    updates: tuple[Answer, ...]
    refreshed_model: BlobRef
    refreshed_digest: Digest
    carried: BlobRef | None = None
    rescaled: BlobRef | None = None


# ---- evaluation ----


class _Attempt(FrozenModel):
    trained: TrainedRound
    attempt: AttemptNumber
    validators: Seats
    metrics: tuple[Answer, ...] = ()

    @property
    def at(self) -> RoundAttempt:
        """The round, and which attempt at measuring it this is."""
        return RoundAttempt(self.trained.round, self.attempt)


class OpeningLane(_Attempt):
    """The buyer has the metrics; the opening of their product is due."""

    status: Literal["opening"] = "opening"


class SigningLane(_Attempt):
    """The validators have the opening; their signatures of the record are due, then it goes to the chain."""

    status: Literal["signing"] = "signing"
    record: RoundRecord
    buyer_signature: EcdsaSignature
    signatures: tuple[tuple[Address, EcdsaSignature], ...] = ()


class Absence(FrozenModel):
    """A seat that was silent `misses` times in a row: it is asked again in round `back_in`."""

    seat: int
    misses: int
    back_in: RoundNumber


def attempt_out_of_order(at: RoundAttempt) -> ProtocolViolation:
    """The refusal of a message for another attempt, or for another step of it, than the lane is at."""
    return ProtocolViolation("attempt_out_of_order", f"{at.round}.{at.attempt}")
