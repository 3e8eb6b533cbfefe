"""What a data owner remembers of a training whose rounds are checked, where that is more than of another."""

from protocol.messages.checked.values import CommittedOwner, StartMeasured
from protocol.roles.engine.state import BlobRef
from protocol.roles.owner.state import (
    DeclinedState,
    FailedState,
    FinishedState,
    InitiatedState,
    ReadyState,
    RunningState,
    WaitingState,
)
from protocol.types import Address, AttemptNumber, Digest, FrozenModel, RoundAttempt, RoundNumber, Seats


class Projecting(FrozenModel):
    """A checker's own question: are the products those of the signed updates?

    `question` is its secret seed; with the answer, `answered` the buyer's signed message and `test` the seed
    of the zero test. `is_zero` is what the buyer said and proved.
    """

    question: BlobRef
    answered: BlobRef | None = None
    test: BlobRef | None = None
    consent: Digest | None = None
    requested: bool = False
    is_zero: bool | None = None


class Countersigning(FrozenModel):
    """The other checker's question as it was shown, and the answer that it was given, for good."""

    shown: Digest
    answer: BlobRef


class Attempt(FrozenModel):
    """A member's work on one attempt at a round.

    `evidence` is all that the aggregator has shown, `evidence_digest` what members agree by. `checkers` are
    the two, in the order of the ring. `metric` is our own message, None where the evidence was not in order;
    `is_stopped` whether somebody has found it not in order, or the buyer implausible.
    """

    round: RoundNumber
    attempt: AttemptNumber
    trainers: Seats
    members: Seats
    start: StartMeasured
    checkers: tuple[Address, Address]
    evidence: BlobRef
    evidence_digest: Digest
    model: BlobRef
    model_digest: Digest
    metric: BlobRef | None = None
    projecting: Projecting | None = None
    countersigned: Countersigning | None = None
    verdict: BlobRef | None = None
    is_stopped: bool = False
    shown: BlobRef | None = None
    consent: BlobRef | None = None

    @property
    def at(self) -> RoundAttempt:
        """What is measured."""
        return RoundAttempt(self.round, self.attempt)

    def other_checker(self, own: Address) -> Address:
        """The one beside ourselves."""
        first, second = self.checkers
        return second if own == first else first


class CommittedState(InitiatedState):
    """Joining, with what was committed to.

    `secrets` are every κ and the integers (`committing.OwnerSecrets`), which nothing else refers to. Both are
    missing where the chain shows a seat that was taken in a state that was lost: nothing can be proven then.
    """

    committed: CommittedOwner | None = None
    secrets: BlobRef | None = None


class CheckedState(RunningState):
    """Trains or validates, and proves it.

    `owners` are everybody's commitments (`checked.started.CommittedOwners`), once they are shown. `standing`
    are the members of the training's last attempt, before the first one all drawn validators: who is left out
    stays out.
    """

    committed: CommittedOwner
    secrets: BlobRef
    owners: BlobRef | None = None
    standing: Seats = 0
    attempt: Attempt | None = None


STATES = (WaitingState, ReadyState, CommittedState, CheckedState, FinishedState, FailedState, DeclinedState)
"""In the order of the phases."""
