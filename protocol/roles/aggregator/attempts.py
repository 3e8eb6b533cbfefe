"""The two lanes of a checked training: a round in training, and one in evaluation."""

from typing import Annotated, Literal

from pydantic import Field

from protocol.messages.rounds.moments import LeftOutMember
from protocol.messages.rounds.values import AttemptDigests, AttemptFacts, Numbers
from protocol.roles.aggregator.lanes import (
    Answer,
    DistributedLane,
    OpeningLane,
    SigningLane,
    TrainedRound,
)
from protocol.roles.engine.state import BlobRef
from protocol.roles.rounds.ring_state import RingState
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

Signatures = tuple[tuple[Address, EcdsaSignature], ...]


class KeptMask(FrozenModel):
    """The content of a blob: ρ and r of a request, secret from the buyer until the round is recorded."""

    masks: Annotated[Numbers, Field(repr=False)]
    roots: Annotated[Numbers, Field(repr=False)]


class Rescaled(FrozenModel):
    """The content of a blob: the trainers' models at the next one's scale, as `RoundEvidence` shows them."""

    numbers: Numbers


class Question(FrozenModel):
    """A moment request as it was sent, and the mask that it stands under."""

    request: BlobRef
    mask: BlobRef


class Exchange(Question):
    """A moment request with the buyer's signed answer."""

    answer: BlobRef

    def without_mask(self) -> "AnsweredRequest":
        """What may outlive the mask."""
        return AnsweredRequest(request=self.request, answer=self.answer)


class AnsweredRequest(FrozenModel):
    """A moment request with the buyer's signed answer, where its mask is of no use any more."""

    request: BlobRef
    answer: BlobRef


# ---- training ----


class RepeatedRound(FrozenModel):
    """The last round that was repeated: which attempt was refused, and the buyer's signed word."""

    round: RoundNumber
    attempt: AttemptNumber
    refused: BlobRef

    @property
    def next_model(self) -> AttemptNumber:
        """What the models of the round after it are counted by: the first one of all is 1."""
        return self.attempt + 1


class MomentsLane(FrozenModel):
    """All updates are proven; the buyer's products of their masked weights are due."""

    status: Literal["moments"] = "moments"
    round: RoundNumber
    trainers: Seats
    start_model: BlobRef
    start_digest: Digest
    carried: BlobRef | None = None
    updates: tuple[Answer, ...]
    question: Question


TrainingLane = Annotated[DistributedLane | MomentsLane, Field(discriminator="status")]
"""The round in training."""


class ProvenRound(TrainedRound):
    """A round whose updates are proven, on its way to evaluation.

    `exchange` is that of the first attempt, out of which the next model was made for good; `blinding` is the
    seed of what blinds it, which shows that nothing else was done to it.
    """

    exchange: Exchange
    blinding: BlobRef

    def as_trained(self) -> TrainedRound:
        """Without masks and blinding, which are needed no more once members have agreed on it."""
        return TrainedRound(**{name: getattr(self, name) for name in TrainedRound.model_fields})


# ---- evaluation ----


class CheckedAttempt(FrozenModel):
    """One attempt at measuring a round; `left_out` are those who have left with it.

    `stuck` are the checkers, as masks, of the attempts before it that came to no verdict in time, where
    nobody could be told to be silent. `refused` is the buyer's signed word that named trainers of the attempt
    before, where this one repeats the round without them.
    """

    trained: TrainedRound
    attempt: AttemptNumber
    validators: Seats
    left_out: tuple[LeftOutMember, ...] = ()
    stuck: tuple[Seats, ...] = ()
    refused: BlobRef | None = None

    @property
    def at(self) -> RoundAttempt:
        """The round, and which attempt at measuring it this is."""
        return RoundAttempt(self.trained.round, self.attempt)


class MaskedAttempt(CheckedAttempt):
    """One that may still be made again: with what masks the round, and blinds its next model."""

    trained: ProvenRound


class AskingLane(MaskedAttempt):
    """A further attempt has its own exchange with the buyer, whose answer is due."""

    status: Literal["asking"] = "asking"
    question: Question


class RepeatingLane(CheckedAttempt):
    """The same of an attempt that repeats its round: the next model is made again of its answer.

    What masked the round, and blinded its model, is gone, and with it the model that `trained` still has.
    """

    status: Literal["repeating"] = "repeating"
    question: Question


class AnsweredAttempt(MaskedAttempt):
    """One whose moments are there."""

    exchange: Exchange

    def without_masks(self) -> "UnmaskedAttempt":
        """What is enough to have ranges opened."""
        fields = {name: getattr(self, name) for name in CheckedAttempt.model_fields}
        exchange = self.exchange.without_mask()
        return UnmaskedAttempt(**{**fields, "trained": self.trained.as_trained()}, exchange=exchange)


class UnmaskedAttempt(CheckedAttempt):
    """An answered attempt after which the round is not measured again, whose masks and blinding are gone."""

    exchange: AnsweredRequest


class ShownAttempt(AnsweredAttempt):
    """Base of the steps in which all members have the evidence; `evidence` is its digest."""

    evidence: Digest
    ring: RingState
    metrics: tuple[Answer, ...] = ()
    verdicts: tuple[Answer, ...] = ()


class CheckingLane(ShownAttempt):
    """Proven metrics and two verdicts are due, and meanwhile the ring that opens the next model's check.

    Once that ring's product is formed, `opened` are its ciphertexts and `product` its digest, and `consents`
    the makers' signatures of it, our own among them.
    """

    status: Literal["checking"] = "checking"
    consents: Signatures = ()
    opened: BlobRef | None = None
    product: Digest | None = None


class QuestioningLane(UnmaskedAttempt):
    """The buyer denies a checker's test; what shows so is due. `complaint` is that checker's verdict."""

    status: Literal["questioning"] = "questioning"
    complaint: BlobRef
    checker: Address


class RangingLane(UnmaskedAttempt):
    """The ring over trainers' updates is under way, and then their opening is due; or that over their errors.

    `complaint` is the verdict that it is for, or the buyer's refusal; then `metrics` are the attempt's, for
    the second ring. `opened`, `product` and `consents` are as in `CheckingLane`.
    """

    status: Literal["ranging"] = "ranging"
    complaint: BlobRef
    metrics: tuple[Answer, ...] = ()
    ring: RingState
    consents: Signatures = ()
    opened: BlobRef | None = None
    product: Digest | None = None


class AgreeingLane(ShownAttempt):
    """All metrics are shown; the ring of noise, and then every member's signature of the product, are due."""

    status: Literal["agreeing"] = "agreeing"
    digests: AttemptDigests
    product: BlobRef | None = None
    consents: Signatures = ()


class AgreedLane(OpeningLane):
    """The buyer has the product under noise, with what all members signed of it; its opening is due.

    `answered` is the attempt with its exchange, for the ranges where errors are said to be implausible.
    """

    facts: AttemptFacts
    product: BlobRef
    answered: UnmaskedAttempt | None = None


EvaluationLane = Annotated[
    AskingLane
    | RepeatingLane
    | CheckingLane
    | QuestioningLane
    | RangingLane
    | AgreeingLane
    | AgreedLane
    | SigningLane,
    Field(discriminator="status"),
]
"""The round being measured."""
