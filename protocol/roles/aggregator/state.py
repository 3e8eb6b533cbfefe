"""What the aggregator remembers of one training: two lanes that overlap by one round."""

from typing import Literal

from protocol.marketplace import Opened
from protocol.records import RoundRecord
from protocol.request import Request
from protocol.roles.engine.context import Context
from protocol.roles.engine.state import BlobRef, PhaseState
from protocol.roles.shared.deadlines import CHAIN_SECONDS, ending_seconds
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.transcript import TranscriptHead
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
from protocol.vectors import EncryptedVector

Phase = Literal["requested", "inviting", "drawing", "training", "settling", "ending", "done", "failed"]


class Answer(FrozenModel):
    """What one owner sent: the signed message, kept whole so that others can check it."""

    owner: Address
    message: BlobRef


class TrainingLane(FrozenModel):
    """The round being trained: DISTRIBUTED until the updates are in, then REFRESHING."""

    status: Literal["distributed", "refreshing"]
    round: RoundNumber
    trainers: Seats
    start_model: BlobRef
    start_digest: Digest
    updates: tuple[Answer, ...] = ()
    mask: BlobRef | None = None


class TrainedRound(FrozenModel):
    """A trained and refreshed round on its way to evaluation."""

    round: RoundNumber
    trainers: Seats
    start_model: BlobRef
    updates: tuple[Answer, ...]
    refreshed_model: BlobRef
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
    model: BlobRef
    digest: Digest


class Absence(FrozenModel):
    """A seat that was silent `misses` times in a row: it is asked again in round `back_in`."""

    seat: int
    misses: int
    back_in: RoundNumber


class AggregatorState(PhaseState):
    """Everything the aggregator remembers of one training.

    `ends_at` is when the contract lets anybody end it for want of progress, by our own clock; 0 before the
    joining is closed. `dropped` seats never said how many rows they have. Until `deliver_until` the buyer is
    sent its model again.
    """

    phase: Phase = "requested"
    training: TrainingId
    opened: Opened | None = None
    request: Request | None = None
    n: BigInteger = 0
    public_key_proof: tuple[bytes, ...] = ()
    initial_model: BlobRef | None = None
    blinding_seed: bytes = b""
    parties: Parties = Parties()
    answers: tuple[tuple[Address, int], ...] = ()
    closing: bool = False
    closed: bool = False
    ends_at: float = 0.0
    deliveries: int = 0
    deliver_until: float = 0.0
    link: TranscriptHead | None = None
    training_lane: TrainingLane | None = None
    trained: TrainedRound | None = None
    evaluation: EvaluationLane | None = None
    next_model: BlobRef | None = None
    next_round: RoundNumber = 1
    sitting_out: Seats = 0
    dropped: Seats = 0
    absences: tuple[Absence, ...] = ()
    signed_models: tuple[RecordedModel, ...] = ()
    recorded: RoundNumber = 0
    last_signed: bool = False
    last_recorded: bool = False
    failure: str | None = None


def ends_later(state: AggregatorState, context: Context) -> dict[str, float]:
    """The contract's clock starts again: `ends_at` as a field to change."""
    assert state.opened is not None
    return {"ends_at": context.now + ending_seconds(state.opened.terms)}


def chain_seconds(state: AggregatorState) -> float:
    """How long to wait for the chain before a call is tried again."""
    return CHAIN_SECONDS if state.request is None else float(state.request.deadlines.chain_s)


def request_of(state: AggregatorState) -> Request:
    """The request; every phase after the first has one."""
    assert state.request is not None
    return state.request


def first_link(state: AggregatorState, context: Context) -> TranscriptHead:
    """The chain of rounds before the first."""
    request, initial = state.request, state.initial_model
    assert request is not None
    assert initial is not None
    return TranscriptHead(
        model_digest=initial.load(EncryptedVector, context).digest(), transcript=request.hash()
    )
