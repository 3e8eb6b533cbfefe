"""What a data owner remembers of one training, a type for each phase.

A training is *waiting* while no data set matches or opening and invitation are not both there, *ready* while
a person or the policy decides, *initiated* once it is joined, *running* once the roles are drawn; then
*finished*, *declined* or *failed*.
"""

from typing import Annotated, Literal

from pydantic import Field

from protocol.marketplace import Opened
from protocol.messages.rounds.values import CommittedOwner
from protocol.request import Request
from protocol.roles.engine.state import BlobRef, PhaseState
from protocol.roles.owner.attempts import Attempt
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.signed_models import SignedModel
from protocol.roles.shared.signed_rounds import RecordedState, RecordingState
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import (
    AttemptNumber,
    BigInteger,
    Code,
    Digest,
    FrozenModel,
    RoundAttempt,
    RoundNumber,
    Seats,
    TrainingId,
)


class TrainerAnswer(FrozenModel):
    """The update sent for a round: the same question gets the same bytes."""

    round: RoundNumber
    attempt: AttemptNumber
    start_digest: Digest
    update: BlobRef

    @property
    def at(self) -> RoundAttempt:
        """What it was sent for."""
        return RoundAttempt(self.round, self.attempt)


class OwnerState(PhaseState):
    """What a data owner remembers in every phase; its rows stay in its data sets.

    `opened` is what the deposit pays for, once it is confirmed; `request` and its key `n` came with the
    invitation. `data_set` is the one to join with, `recorded` the last round that the chain has recorded.
    """

    training: TrainingId
    opened: Opened | None = None
    request: Request | None = None
    n: BigInteger = 0
    join_until: int = 0
    data_set: str | None = None
    rows: int = 0
    parties: Parties = Parties()
    recorded: RoundNumber = 0
    failure: str | None = None

    @property
    def has_worked(self) -> bool:
        """Whether the data set was worked on: what was measured may have been opened unrecorded."""
        return self.recorded > 0


class UndecidedState(OwnerState):
    """Base of the phases before a decision; `mismatches` says why no data set serves the request."""

    mismatches: tuple[str, ...] = ()


class WaitingState(UndecidedState):
    """No data set matches, or opening and invitation are not both here."""

    phase: Literal["waiting"] = "waiting"


class ReadyState(UndecidedState):
    """A data set matches; the operator or its policy decides."""

    phase: Literal["ready"] = "ready"
    opened: Opened
    request: Request
    data_set: str


class JoinedState(OwnerState):
    """Base of the phases of a joined training.

    `closed` is whether the joining is over on the chain; the contract's
    clock for the first round begins when the time to reveal is over, at `progressed_at`, not with the draw.
    `nonce` is secret until then: the chain has its digest from the join on.
    """

    opened: Opened
    request: Request
    data_set: str
    closed: bool = False
    progressed_at: float = 0.0
    nonce: Annotated[bytes, Field(repr=False)] = b""


class InitiatedState(JoinedState):
    """Joining on the chain, once it is admitted.

    `card` is the hash of the card that it would join with, `commitment` what it has told and nothing else may
    take the place of, `asked` how often it has asked to be admitted; `joining` from the call to join.

    `committed` is what it has committed to, `secrets` every κ and the integers (`committing.OwnerSecrets`),
    which nothing else refers to. Both are missing where the chain shows a seat that was taken in a state that
    was lost: nothing can be proven then.
    """

    phase: Literal["initiated"] = "initiated"
    card: Digest | None = None
    commitment: Digest | None = None
    asked: int = 0
    joining: bool = False
    committed: CommittedOwner | None = None
    secrets: BlobRef | None = None


class DrawnState(OwnerState):
    """Base of the phases in which something may have been worked on.

    A trainer has its last `answer`, a validator the `link` where the chain of opened rounds stands.
    """

    answer: TrainerAnswer | None = None
    link: TranscriptHead | None = None

    @property
    def has_worked(self) -> bool:
        """See OwnerState."""
        return self.answer is not None or self.link is not None or super().has_worked


class HoldingState(OwnerState, RecordedState):
    """Base of the phases in which a validator holds models that it may have to hand out.

    `heard_at` is when the aggregator last gave notice of anything, and `given_up` the code with which it gave
    the training up.
    """

    signed_models: tuple[SignedModel, ...] = ()
    heard_at: float = 0.0
    given_up: Code | None = None


class RunningState(JoinedState, DrawnState, RecordingState, HoldingState):
    """Trains or validates, as drawn.

    A validator has not checked the rounds up to `caught_up` itself.
    `measured_by` are the validators of the last recorded round, `trained_by` its trainers, and `start_errors`
    is how many recorded rounds have measured v₀.

    `owners` are everybody's commitments (`rounds.started.CommittedOwners`), once they are shown. `standing`
    are the members of the training's last attempt, before the first one all drawn validators: who is left out
    stays out. `carried` is what trainers carry into the next round, where they carry duals (`CarriedModels`).
    """

    phase: Literal["running"] = "running"
    caught_up: RoundNumber = 0
    measured_by: Seats = 0
    trained_by: Seats = 0
    start_errors: int = 0
    committed: CommittedOwner
    secrets: BlobRef
    owners: BlobRef | None = None
    standing: Seats = 0
    carried: BlobRef | None = None
    attempt: Attempt | None = None

    @property
    def is_measuring(self) -> bool:
        """Whether an attempt at the round after `link` is under way: it may be opened at any moment."""
        return self.attempt is not None


class Pooling(FrozenModel):
    """The trainers whose shares a checker waits for, those whose have come, and the sum of these."""

    awaited: Seats
    shared: Seats = 0
    total: BlobRef | None = None


class FinishedState(HoldingState):
    """Settled; a validator hands out the last model's ciphertexts while it must keep them.

    `pooling` is what a checker of a training with `inference` still adds up.
    """

    phase: Literal["finished"] = "finished"
    opened: Opened
    request: Request
    settled_at: float = 0.0
    pooling: Pooling | None = None


class DeclinedState(OwnerState):
    """The owner said no."""

    phase: Literal["declined"] = "declined"


class FailedState(DrawnState):
    """Too late, refused, or cancelled."""

    phase: Literal["failed"] = "failed"
