"""What a data owner remembers of the rounds."""

from protocol.messages.opening import ImplausibleError, NegativeError
from protocol.messages.rounds.values import AttemptFacts, StartMeasured
from protocol.roles.engine.state import BlobRef
from protocol.roles.rounds.ring_state import RingState
from protocol.types import Address, AttemptNumber, Digest, FrozenModel, RoundAttempt, RoundNumber, Seats


class Projecting(FrozenModel):
    """A checker's own question: are the products those of the signed updates?

    `seed` is its secret and `asked` what it has asked the buyer; with the answer, `shown` is what the other
    checker was shown, `agreed` the digest that both then sign, `consent` the other one's signed message. It
    is `requested` once the buyer was asked to open the test, and `is_zero` once that has proven it zero.
    """

    seed: BlobRef
    asked: BlobRef
    shown: BlobRef | None = None
    agreed: Digest | None = None
    consent: BlobRef | None = None
    requested: bool = False
    is_zero: bool = False


class Countersigning(FrozenModel):
    """The digest of the other checker's question as it was shown, and the consent that it got, for good."""

    shown: Digest
    consent: BlobRef


class OpeningModel(FrozenModel):
    """A checker's ring over the next model.

    `product` are the ciphertexts that it has consented to have opened (`ring_state.SharedNumbers`), `digest`
    what it signed of them. `in_range` says that the buyer's opening is, with two shares taken off.
    """

    ring: RingState
    product: BlobRef | None = None
    digest: Digest | None = None
    in_range: bool = False


class Ranging(OpeningModel):
    """The same over trainers' updates; `is_of_errors`, where errors are said to be implausible.

    `named` are then the trainers whose errors the buyer says are too large, or `negative` the error that it
    says is less than nothing. `in_range` says that they were opened, whatever came of it.
    """

    is_of_errors: bool = False
    named: tuple[ImplausibleError, ...] = ()
    negative: NegativeError | None = None


class OpeningErrors(OpeningModel):
    """The same over the errors that were named; `in_range` says that they are what the buyer has said."""

    is_opened: bool = False


class Measuring(FrozenModel):
    """All metrics of an attempt, checked: what they are of, and their product without noise.

    A checker has a `ring` for the noise, and keeps the metrics one after the other, `parts`: of an error that
    is said to be negative each one's is opened. `noisy` is the product that was consented to, with `consent`.
    """

    facts: AttemptFacts
    product: BlobRef
    ring: RingState | None = None
    parts: BlobRef | None = None
    noisy: BlobRef | None = None
    consent: BlobRef | None = None


class Attempt(FrozenModel):
    """A member's work on one attempt at a round.

    `evidence` is all that the aggregator has shown, `model` the next model in it; `carried` is what trainers
    carry on (`rounds.carried`), None where models are averaged; `checkers` are the two, in the order of the
    ring. `metric` is our own message, None where the evidence was not in order; `projecting` and `opening`
    are a checker's two tests. `is_stopped` says that we found it not in order, or the buyer
    implausible: nothing more of it is answered but the opening of trainers' ranges, `ranging`, and of errors
    that were named, `errors`. `other_model` says that the next model was not shown to be the first attempt's
    answer without masks. `members_stay`, that the buyer has refused this attempt or one before it at the
    round: it has opened the errors of these members.
    """

    round: RoundNumber
    attempt: AttemptNumber
    members: Seats
    start: StartMeasured
    checkers: tuple[Address, Address]
    evidence: BlobRef
    evidence_digest: Digest
    model: BlobRef
    model_digest: Digest
    carried: BlobRef | None = None
    metric: BlobRef | None = None
    projecting: Projecting | None = None
    countersigned: Countersigning | None = None
    opening: OpeningModel | None = None
    ranging: Ranging | None = None
    errors: OpeningErrors | None = None
    has_verdict: bool = False
    is_stopped: bool = False
    other_model: bool = False
    members_stay: bool = False
    measuring: Measuring | None = None

    @property
    def at(self) -> RoundAttempt:
        """What is measured."""
        return RoundAttempt(self.round, self.attempt)

    def other_checker(self, own: Address) -> Address:
        """The one beside ourselves."""
        first, second = self.checkers
        return second if own == first else first
