"""What the aggregator remembers of one training: two lanes that overlap by one round."""

from typing import Literal

from protocol.marketplace import Opened
from protocol.records import RoundRecord
from protocol.request import Request
from protocol.roles.machine import Stored
from protocol.roles.training import Link, Parties
from protocol.types import (
    Address,
    AttemptNumber,
    BigInteger,
    Digest,
    EcdsaSignature,
    FrozenModel,
    RoundNumber,
    Seats,
    TrainingId,
)

Phase = Literal["requested", "inviting", "drawing", "training", "settling", "ending", "done", "failed"]


class Answer(FrozenModel):
    """What one owner sent: the signed message, kept whole so that others can check it."""

    owner: Address
    message: Stored


class TrainingLane(FrozenModel):
    """The round being trained: DISTRIBUTED until the updates are in, then REFRESHING."""

    status: Literal["distributed", "refreshing"]
    round: RoundNumber
    trainers: Seats
    start_model: Stored
    start_digest: Digest
    updates: tuple[Answer, ...] = ()
    mask: Stored | None = None


class TrainedRound(FrozenModel):
    """A trained and refreshed round on its way to evaluation."""

    round: RoundNumber
    trainers: Seats
    start_model: Stored
    updates: tuple[Answer, ...]
    refreshed_model: Stored
    refreshed_digest: Digest


class EvaluationLane(FrozenModel):
    """The round being measured: MEASURING → OPENING → SIGNING, then its record goes to the chain."""

    status: Literal["measuring", "opening", "signing"]
    trained: TrainedRound
    attempt: AttemptNumber
    validators: Seats
    metrics: tuple[Answer, ...] = ()
    record: RoundRecord | None = None
    buyer_signature: EcdsaSignature | None = None
    signatures: tuple[tuple[Address, EcdsaSignature], ...] = ()


class RecordedModel(FrozenModel):
    """The refreshed model of a signed round, until a later one is recorded."""

    round: RoundNumber
    model: Stored
    digest: Digest


class AggregatorState(FrozenModel):
    """Everything the aggregator remembers of one training."""

    phase: Phase = "requested"
    training: TrainingId
    opened: Opened | None = None
    request: Request | None = None
    n: BigInteger = 0
    public_key_proof: tuple[bytes, ...] = ()
    initial_model: Stored | None = None
    blinding_seed: bytes = b""
    parties: Parties = Parties()
    answers: tuple[tuple[Address, int], ...] = ()
    closing: bool = False
    link: Link | None = None
    training_lane: TrainingLane | None = None
    trained: TrainedRound | None = None
    evaluation: EvaluationLane | None = None
    next_model: Stored | None = None
    next_round: RoundNumber = 1
    sitting_out: Seats = 0
    dropped: Seats = 0
    signed_models: tuple[RecordedModel, ...] = ()
    recorded: RoundNumber = 0
    last_signed: bool = False
    last_recorded: bool = False
    failure: str | None = None


def request_of(state: AggregatorState) -> Request:
    """The request; every phase after the first has one."""
    assert state.request is not None
    return state.request
