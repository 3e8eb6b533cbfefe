"""What the aggregator remembers of one training: one type of state for each phase."""

from typing import Annotated, Literal

from pydantic import Field

from protocol.crypto.cipher import PublicKey
from protocol.marketplace import Opened
from protocol.messages.rounds.moments import LeftOutMember
from protocol.request import Request
from protocol.roles.aggregator.attempts import (
    EvaluationLane,
    ProvenRound,
    RepeatedRound,
    RepeatingLane,
    TrainingLane,
)
from protocol.roles.aggregator.lanes import (
    Absence,
    Answer,
)
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import BlobRef, PhaseState
from protocol.roles.shared.accusing import AccusingState
from protocol.roles.shared.applications import ApplicationsState
from protocol.roles.shared.deadlines import CHAIN_SECONDS, ending_seconds
from protocol.roles.shared.parties import Parties, public_key_of
from protocol.roles.shared.signed_models import SignedModel
from protocol.roles.shared.transcript import TranscriptHead
from protocol.types import Address, BigInteger, Digest, RoundNumber, Seats, TrainingId


class AggregatorState(PhaseState):
    """What every phase can be asked for.

    `recorded` is the last round on the chain, `delivered` the digest of the model that it names; `dropped`
    seats never said how many rows they have; `failure` is why the training ends, or will end once the chain
    confirms it.
    """

    training: TrainingId
    opened: Opened | None = None
    request: Request | None = None
    parties: Parties = Parties()
    recorded: RoundNumber = 0
    delivered: Digest | None = None
    dropped: Seats = 0
    failure: str | None = None


class RequestedState(AggregatorState):
    """The opening on chain and the buyer's request are due."""

    phase: Literal["requested"] = "requested"


class OpenedState(AggregatorState):
    """Base of the phases in which the opening on chain is confirmed."""

    opened: Opened

    def everybody(self) -> tuple[Address, ...]:
        """The buyer and all owners that take part."""
        return (self.opened.buyer, *self.parties.taking_part())


class AcceptedState(OpenedState):
    """Base of the phases in which the buyer's request is taken on."""

    request: Request

    @property
    def step_seconds(self) -> float:
        """How long a peer may take for its part of a step."""
        return float(self.request.deadlines.step_s)


class PreparedState(AcceptedState):
    """Base of the phases in which there is something to encrypt; `n` is the buyer's Paillier modulus.

    `declined` are the codes of the owners whose last word was no, `waiting` of those that have a person
    decide; `heard` is how many words of each counted.
    """

    n: BigInteger
    blinding_seed: Annotated[bytes, Field(repr=False)]
    declined: tuple[tuple[Address, str], ...] = ()
    waiting: tuple[tuple[Address, str], ...] = ()
    heard: tuple[tuple[Address, int], ...] = ()

    @property
    def key(self) -> PublicKey:
        """The buyer's public key, whose proof was verified when it arrived."""
        return public_key_of(self.n)


class InvitingState(PreparedState, ApplicationsState):
    """Owners apply and join; `closing` from the first call to the contract to close the joining."""

    phase: Literal["inviting"] = "inviting"
    closing: bool = False


class DrawingState(PreparedState):
    """The joining is closed: nonces are revealed, the contract draws roles, the last commitments are due.

    `ends_at` is when the contract lets anybody end the training for want of progress, by our own clock.

    `shown` are the commitments of owners that take part (`ShownOwner`).
    """

    phase: Literal["drawing"] = "drawing"
    ends_at: float
    shown: tuple[Answer, ...] = ()


class TrainingState(PreparedState, AccusingState):
    """Rounds are trained and measured; `ends_at` is as in drawing.

    `link` is the last signed round, whose worst trainers are `sitting_out`; `trained` waits to be measured.

    `owners` are all commitments (`rounds.started.CommittedOwners`). `left` have left since the last attempt
    and are named with the next one; `dropped` seats never come back. `repetitions` counts the rounds that
    were repeated without trainers whose errors the buyer has named, `repeated` is the last of them. `carried`
    is what trainers carry into the next round (`rounds.carried`), None where models are averaged.
    """

    phase: Literal["training"] = "training"
    ends_at: float
    link: TranscriptHead
    training_lane: TrainingLane | None = None
    trained: ProvenRound | None = None
    evaluation: EvaluationLane | None = None
    next_model: BlobRef
    carried: BlobRef | None = None
    next_round: RoundNumber = 1
    sitting_out: Seats = 0
    absences: tuple[Absence, ...] = ()
    signed_models: tuple[SignedModel, ...] = ()
    last_signed: bool = False
    owners: BlobRef
    left: tuple[LeftOutMember, ...] = ()
    repeated: RepeatedRound | None = None
    repetitions: int = 0

    def in_seat_order(self, answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
        """The answers in the order that every party sees them in."""
        return tuple(sorted(answers, key=lambda answer: self.parties.seat_of(answer.owner)))

    @property
    def is_repeating(self) -> bool:
        """Whether a repeated round has no model yet: what would follow from it cannot be trained."""
        return isinstance(self.evaluation, RepeatingLane)

    def has_refused(self, round_number: int) -> bool:
        """Whether the buyer has refused an attempt at this round, which is repeated: its members stay."""
        return self.repeated is not None and self.repeated.round == round_number

    def model_number(self, round_number: int) -> int:
        """Which one of a round's models its trainers have, from 1: another for each repetition before it."""
        repeated = self.repeated
        return repeated.next_model if repeated is not None and repeated.round == round_number - 1 else 1


class SettlingState(AcceptedState):
    """The last round is recorded: the contract pays, and then the buyer is sent its model.

    It is sent again until `deliver_until`, which is 0 before the contract has paid.
    """

    phase: Literal["settling"] = "settling"
    signed_models: tuple[SignedModel, ...] = ()
    deliveries: int = 0
    deliver_until: float = 0.0


class EndingState(OpenedState):
    """Given up: to be ended on chain by whatever was recorded. `closed` once the joining is.

    `fault` is the address of who is to blame, if anybody is; `missed` who was waited for in vain.
    """

    phase: Literal["ending"] = "ending"
    closed: bool = False
    signed_models: tuple[SignedModel, ...] = ()
    failure: str
    fault: str | None = None
    missed: tuple[Address, ...] = ()


class DoneState(AcceptedState):
    """The buyer has its model, or has had time enough to confirm it."""

    phase: Literal["done"] = "done"


class FailedState(AggregatorState):
    """Over without a model."""

    phase: Literal["failed"] = "failed"
    failure: str


def opened_of(state: AggregatorState) -> Opened:
    """The opening on chain; raises EarlyInput before it is confirmed."""
    if state.opened is None:
        raise EarlyInput
    return state.opened


def contract_ends_at(opened: Opened, started_at: float) -> float:
    """When the contract, whose clock for a round starts at `started_at`, lets anybody end the training."""
    return started_at + ending_seconds(opened.terms)


def chain_seconds(state: AggregatorState) -> float:
    """How long to wait for the chain before a call is tried again."""
    return CHAIN_SECONDS if state.request is None else float(state.request.deadlines.chain_s)
