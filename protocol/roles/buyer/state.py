"""What the model buyer remembers of one training, a type for each phase, and what all its handlers use.

A training is *ordered*, *opened* on the chain, *initiated* once an owner has joined, *running* once the roles
are drawn, *collecting* its model once it is settled, then *finished*; or *failed*.
"""

from typing import Annotated, Literal

from pydantic import Field

from protocol.admission_policy import AdmissionPolicy
from protocol.crypto.cipher import PrivateKey, PublicKey
from protocol.marketplace import Cancel
from protocol.messages.rounds.values import Number, Numbers, StartMeasured
from protocol.messages.values import Parties as Addresses
from protocol.request import Request
from protocol.roles.engine import private, timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import SetTimer, SubmitCall
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import BlobRef, PhaseState, enter, replace
from protocol.roles.rounds.members import attempt_checkers, draw_hash
from protocol.roles.shared.applications import ApplicationsState
from protocol.roles.shared.deadlines import seconds_to_the_end
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.signed_rounds import RecordingState
from protocol.roles.shared.transcript import TranscriptHead
from protocol.terms import Terms
from protocol.types import (
    Address,
    AttemptNumber,
    BigInteger,
    Digest,
    FrozenModel,
    RoundAttempt,
    RoundNumber,
    Seats,
    TrainingId,
)


class OfAttempt(FrozenModel):
    """Base of what belongs to one attempt at a round."""

    round: RoundNumber
    attempt: AttemptNumber

    @property
    def at(self) -> RoundAttempt:
        """The round and the attempt."""
        return RoundAttempt(self.round, self.attempt)


class Exchange(OfAttempt):
    """The answered question about all weights, by the digests of both as they travelled."""

    trainers: int
    start: StartMeasured
    request: Digest
    answer: Digest


class Refusal(OfAttempt):
    """Our word that an attempt's errors are implausible, and how many trainers it names.

    `is_negative` says that it names an error that is less than nothing instead, `is_opened` that what it
    names was opened to the makers of a ring, `is_final` that the round is not repeated without whom it names.
    """

    named: int
    is_negative: bool = False
    is_opened: bool = False
    is_final: bool = False

    @property
    def sitting_out(self) -> int:
        """How many trainers a repetition of the round is without; 0 where there may be none."""
        return 0 if self.is_final else self.named


class AttemptMembers(OfAttempt):
    """The validators of an attempt, as the aggregator has announced and the buyer checked them."""

    members: Seats


class AskedNumbers(FrozenModel):
    """The content of a blob: a checker's question and its answer, as both travelled."""

    request: Numbers
    answer: Numbers


class Question(OfAttempt):
    """A checker's answered question, and whether its test was opened.

    `denied` is the test, if we have said that it is not zero; `is_shown`, that we have shown what it is.
    """

    asker: Address
    numbers: BlobRef
    tested: bool = False
    denied: Annotated[Number | None, Field(repr=False)] = None
    is_shown: bool = False


class BuyerState(PhaseState):
    """What the buyer remembers in every phase; its Paillier key stays in the key store.

    `failure` is the first reason for which the training is being ended, `stopped` whether its operator wants
    that, `recorded` the last round that the chain has recorded.
    """

    request: Request
    n: BigInteger
    parties: Parties = Parties()
    recorded: RoundNumber = 0
    stopped: bool = False
    failure: str | None = None


class OrderedState(BuyerState):
    """The operator has ordered; the deposit is on its way."""

    phase: Literal["ordered"] = "ordered"
    submitted: bool = False
    admission: AdmissionPolicy | None = None


class OnChainState(BuyerState):
    """Base of all phases with a training on the chain."""

    training: TrainingId


class CancellableState(OnChainState, ApplicationsState):
    """Base of the phases in which the buyer may still cancel; `accepted` once the aggregator takes it on.

    `admission` is the order's own policy about owners, in the place of the standing one.
    """

    accepted: bool = False
    admission: AdmissionPolicy | None = None


class OpenedState(CancellableState):
    """The training is open on the chain; the aggregator has the request and the key."""

    phase: Literal["opened"] = "opened"


class InitiatedState(CancellableState):
    """An owner has joined.

    `progressed_at` is zero until the joining is closed, then the end of the time to reveal, by our own clock.
    """

    phase: Literal["initiated"] = "initiated"
    progressed_at: float = 0.0


class RunningState(OnChainState, RecordingState):
    """The roles are drawn; rounds run until the contract settles.

    `link` is where the chain of opened rounds stands, `opened_sets` are the rounds that were opened.
    `start_error` and `delivered_error` are as the chain has them (× `FIXED_POINT`): of the first model, and
    of the one that is delivered if no round follows. Some kinds of model are delivered by them.
    `trained_by` and `measured_by` are the owners of the last recorded round.

    `standing` are the members of the last announced attempt, all drawn validators before the first; whoever
    is left out stays out. Of each attempt at a round that is still to be opened: `exchanges` and `questions`
    that were answered, `attempts` that were announced, `opened_checks` of next models. Each is answered once:
    a second answer under other randomness would be a second equation about what is masked. `denials` are
    attempts that our own word is against, of which `opened_ranges` are those whose ranges were opened, and
    `refusals` those whose errors it says are implausible. `repetitions` counts the rounds of the training
    that were repeated without trainers named in one, `sat_out` these.
    """

    phase: Literal["running"] = "running"
    link: TranscriptHead
    opened_sets: tuple[RoundNumber, ...] = ()
    start_error: BigInteger = 0
    delivered_error: BigInteger = 0
    trained_by: Seats = 0
    measured_by: Seats = 0
    standing: Seats = 0
    exchanges: tuple[Exchange, ...] = ()
    attempts: tuple[AttemptMembers, ...] = ()
    questions: tuple[Question, ...] = ()
    opened_checks: tuple[OfAttempt, ...] = ()
    denials: tuple[OfAttempt, ...] = ()
    opened_ranges: tuple[OfAttempt, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    repetitions: int = 0
    sat_out: int = 0

    def exchange(self, at: RoundAttempt) -> Exchange | None:
        """The answered exchange of an attempt."""
        return next((one for one in self.exchanges if one.at == at), None)

    def refusal(self, round_number: int, attempt: int) -> Refusal | None:
        """Our word that an attempt's errors are implausible."""
        return next((one for one in self.refusals if one.at == (round_number, attempt)), None)

    def refused_members(self, round_number: int) -> Seats | None:
        """The members of a round's refused attempt, who alone may measure it again; None without one."""
        refused = {one.at for one in self.refusals if one.round == round_number}
        return next((one.members for one in self.attempts if one.at in refused), None)

    def question(self, at: RoundAttempt, asker: str) -> Question | None:
        """A checker's answered question."""
        return next((one for one in self.questions if (one.at, one.asker) == (at, asker)), None)

    def announced(self, at: RoundAttempt) -> AttemptMembers:
        """The members of the attempt that is under way.

        Raises StaleInput for one that is over, EarlyInput for one that is not announced yet, and
        ProtocolViolation("round_out_of_order") for a round that cannot be measured yet.
        """
        if at.round <= self.link.round:
            raise StaleInput
        require(at.round == self.link.round + 1, "round_out_of_order", f"round {at.round}")
        last = max((one.at for one in self.attempts), default=RoundAttempt(0, 0))
        if at < last:
            raise StaleInput
        found = next((one for one in self.attempts if one.at == at), None)
        if found is None:
            raise EarlyInput
        return found

    def checkers(self, at: RoundAttempt, context: Context) -> tuple[str, str]:
        """The two that check the attempt under way; raises as `announced` does."""
        assert self.training is not None
        hashed = draw_hash(context.market, self.training, self.parties)
        return attempt_checkers(self.parties, self.announced(at).members, at, hashed)


class CollectingState(OnChainState):
    """Settled; the model is due until `model_until`, from the aggregator or else a validator."""

    phase: Literal["collecting"] = "collecting"
    recorded_model: Digest
    last_recorded: bool = False
    trained_by: Seats = 0
    measured_by: Seats = 0
    model_requests: int = 0
    model_until: float = 0.0
    start_error: BigInteger = 0
    delivered_error: BigInteger = 0


class AwaitedSums(FrozenModel):
    """Of whom the pooled information is made, by whom, and the published numbers beside it.

    The errors are in the target's own units squared. `total` is the answer that has come, as
    `summed_by` has sent it; `other` that of the other checker.
    """

    trainers: Addresses
    checkers: tuple[Address, Address]
    start_error: float
    delivered_error: float
    validation_rows: float
    total: BlobRef | None = None
    summed_by: Address | None = None
    other: BlobRef | None = None


class FinishedState(OnChainState):
    """The model is kept for the operator; its standard errors may be `awaited` still."""

    phase: Literal["finished"] = "finished"
    recorded_model: Digest
    awaited: AwaitedSums | None = None


class FailedState(BuyerState):
    """Cancelled, or ended before its signed last round and not by its aggregator: no model."""

    phase: Literal["failed"] = "failed"


BuyerStep = Step[BuyerState]


def terms_of(state: BuyerState) -> Terms:
    """What the contract is told: the document's terms under the training's key."""
    return state.request.terms(PublicKey(state.n).key_id)


def private_key_of(context: Context) -> PrivateKey:
    """The training's Paillier key, out of the runtime's key store."""
    return PrivateKey.from_bytes(context.private[private.PAILLIER.name])


def stall_timer(state: RunningState, context: Context) -> SetTimer:
    """Fires when anyone may end the training: after the last round soon, but the aggregator first."""
    if state.last_recorded:
        return timers.STALLED.set(2.0 * state.request.deadlines.chain_s)
    return timers.STALLED.set(seconds_to_the_end(terms_of(state), state.progressed_at, context.now))


def cancel(state: CancellableState, code: str) -> BuyerStep:
    """Ask the contract for the deposit back; the reason is shown once it is."""
    return Step(replace(state, failure=code), (SubmitCall(call=Cancel(training=state.training)),))


def fail(state: BuyerState, code: str) -> FailedState:
    """The final state without a model; the first reason is kept."""
    return enter(FailedState, state, failure=state.failure or code)


def denying(state: RunningState, at: RoundAttempt) -> RunningState:
    """With our word against this attempt."""
    denial = OfAttempt(round=at.round, attempt=at.attempt)
    return state if denial in state.denials else replace(state, denials=(*state.denials, denial))


def from_round(state: RunningState, round_number: int) -> dict[str, object]:
    """The fields of what belongs to this round and later ones; the rest is dropped, its blobs with it."""
    names = ("exchanges", "attempts", "questions", "opened_checks", "denials", "opened_ranges", "refusals")
    kept = {name: getattr(state, name) for name in names}
    return {name: tuple(one for one in found if one.round >= round_number) for name, found in kept.items()}
