"""What the buyer remembers of checked rounds: what it has answered, once each, and who may ask it."""

from typing import Literal

from protocol.messages.checked.values import Number, Numbers, StartMeasured
from protocol.roles.buyer.state import RunningState
from protocol.roles.checked.members import attempt_checkers, draw_hash
from protocol.roles.engine.context import Context
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import BlobRef, replace
from protocol.types import Address, AttemptNumber, Digest, FrozenModel, RoundAttempt, RoundNumber, Seats


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

    `is_opened` says that these trainers' errors were opened to the makers of a ring.
    """

    named: int
    is_opened: bool = False


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
    denied: Number | None = None
    is_shown: bool = False


class CheckedRunningState(RunningState):
    """The roles are drawn, and rounds are checked.

    `standing` are the members of the last announced attempt, all drawn validators before the first; whoever
    is left out stays out. Of each attempt at a round that is still to be opened: `exchanges` and `questions`
    that were answered, `attempts` that were announced, `opened_checks` of next models. Each is answered once:
    a second answer under other randomness would be a second equation about what is masked. `denials` are
    attempts that our own word is against, of which `opened_ranges` are those whose ranges were opened, and
    `refusals` those whose errors it says are implausible. `repetitions` counts the rounds of the training
    that were repeated without trainers named in one, `sat_out` these.
    """

    phase: Literal["running"] = "running"
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


def denying(state: CheckedRunningState, at: RoundAttempt) -> CheckedRunningState:
    """With our word against this attempt."""
    denial = OfAttempt(round=at.round, attempt=at.attempt)
    return state if denial in state.denials else replace(state, denials=(*state.denials, denial))


def from_round(state: CheckedRunningState, round_number: int) -> dict[str, object]:
    """The fields of what belongs to this round and later ones; the rest is dropped, its blobs with it."""
    names = ("exchanges", "attempts", "questions", "opened_checks", "denials", "opened_ranges", "refusals")
    kept = {name: getattr(state, name) for name in names}
    return {name: tuple(one for one in found if one.round >= round_number) for name, found in kept.items()}
