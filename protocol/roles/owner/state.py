"""What a data owner remembers of one training."""

from typing import Literal

from protocol.marketplace import Opened
from protocol.request import Request
from protocol.roles.engine.state import BlobRef, PhaseState
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import (
    AttemptNumber,
    BigInteger,
    Digest,
    FrozenModel,
    RoundNumber,
    Seats,
    TrainingId,
)

Phase = Literal["waiting", "ready", "initiated", "running", "finished", "declined", "failed"]


class TrainerAnswer(FrozenModel):
    """The update sent for a round: the same question gets the same bytes."""

    round: RoundNumber
    attempt: AttemptNumber
    start_digest: Digest
    update: BlobRef


class Evaluation(FrozenModel):
    """A validator's work on one attempt.

    MASKED after the noisy metric, MEASURED after the encrypted one, CHECKED once all metrics are shown.
    """

    status: Literal["masked", "measured", "checked"] = "masked"
    round: RoundNumber
    attempt: AttemptNumber
    trainers: Seats
    validators: Seats
    measure_start: bool
    start_digest: Digest
    update_digests: tuple[Digest, ...]
    refreshed_digest: Digest
    refreshed_model: BlobRef
    residuals: BlobRef
    own_values: Digest | None = None
    shown_metrics: BlobRef | None = None


class OwnerState(PhaseState):
    """Everything a data owner remembers of one training; its rows stay in its data sets.

    `statistic` is the data set as it was joined with, until the training ends: to replace or remove that one
    changes nothing.
    """

    phase: Phase = "waiting"
    training: TrainingId
    opened: Opened | None = None
    request: Request | None = None
    n: BigInteger = 0
    join_until: int = 0
    data_set: str | None = None
    rows: int = 0
    statistic: BlobRef | None = None
    mismatches: tuple[str, ...] = ()
    parties: Parties = Parties()
    closed: bool = False
    blinding_seed: bytes = b""
    answer: TrainerAnswer | None = None
    link: TranscriptHead | None = None
    evaluation: Evaluation | None = None
    last_model: BlobRef | None = None
    recorded: RoundNumber = 0
    caught_up: RoundNumber = 0
    recorded_model: Digest | None = None
    last_recorded: bool = False
    failure: str | None = None


DATA_SET = "data_set:"
