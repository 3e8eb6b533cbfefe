"""What an aggregator's operator sees, read out of its store: who answered, who is waited for, until when."""

from dataclasses import dataclass
from functools import cached_property

from protocol.roles.aggregator.lanes import (
    EvaluationLane,
    MeasuringLane,
    OpeningLane,
    RefreshingLane,
    SigningLane,
    TrainingLane,
)
from protocol.roles.aggregator.state import AggregatorState, TrainingState
from protocol.roles.shared.parties import Parties
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.training_record import TrainingRecord

_TIMERS = {
    "request": _("the request from the buyer"),
    "join": _("the owners' joining"),
    "draw": _("the drawing of roles"),
    "rows": _("the owners' row counts"),
    "updates": _("the trainers' updates"),
    "refresh": _("the buyer's re-encryption"),
    "metrics": _("the validators' measurements"),
    "opening": _("the buyer's opening"),
    "signatures": _("the validators' signatures"),
    "end": _("the end on the chain"),
    "stalled": _("progress on the chain"),
    "settle": _("the division of the deposit"),
    "delivery": _("the buyer's receipt for its model"),
}

BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Work:
    """A round in hand: what is done with it, who has answered, who has not."""

    round: int
    attempt: int | None
    status: str
    answered: tuple[str, ...]
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A wait that runs, for what, and when it ends (Unix seconds)."""

    what: str
    at: float


@dataclass(frozen=True)
class Training(TrainingRecord[AggregatorState]):
    """One training, in the list or on its page."""

    role = "federated_aggregator"

    @cached_property
    def work(self) -> tuple[Work, ...]:
        """The rounds in hand: one in training, and the one before it being measured."""
        state = self.state
        if not isinstance(state, TrainingState):
            return ()
        measured = () if state.evaluation is None else (_measured(state.evaluation, state.parties),)
        trained = () if state.training_lane is None else (_trained(state.training_lane, state.parties),)
        return measured + trained

    @property
    def waiting(self) -> int:
        """How many have not answered the question in hand."""
        return sum(len(work.waiting) for work in self.work)

    @property
    def deadlines(self) -> tuple[Deadline, ...]:
        """The waits that run, the next to end first."""
        if self.row.finished:
            return ()
        timers = ((name.partition(":")[0], at) for name, at in self.party.store.timers_of(self.row.key))
        return tuple(Deadline(_TIMERS[kind], at) for kind, at in timers if kind in _TIMERS)

    @property
    def answers(self) -> tuple[tuple[str, str], ...]:
        """(owner, what it said) of those who have answered the invitation."""
        facts = [data for name, data, _at in self.party.store.facts(self.row.key) if name == "owner_answered"]
        return tuple((str(data["owner"]), str(data.get("code", data["decision"]))) for data in facts)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The owners who were left out."""
        return self.state.parties.addresses(self.state.dropped)


def _trained(lane: TrainingLane, parties: Parties) -> Work:
    answered = tuple(update.owner for update in lane.updates)
    waiting = _others(parties.addresses(lane.trainers), answered)
    if isinstance(lane, RefreshingLane):
        waiting = (BUYER,)
    return Work(lane.round, None, lane.status, answered, waiting)


def _measured(lane: EvaluationLane, parties: Parties) -> Work:
    validators = parties.addresses(lane.validators)
    match lane:
        case MeasuringLane():
            answered = tuple(metric.owner for metric in lane.metrics)
            waiting = _others(validators, answered)
        case OpeningLane():
            answered, waiting = validators, (BUYER,)
        case SigningLane():
            answered = tuple(owner for owner, _signature in lane.signatures)
            waiting = _others(validators, answered)
    return Work(lane.trained.round, lane.attempt, lane.status, answered, waiting)


def _others(asked: tuple[str, ...], answered: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(owner for owner in asked if owner not in answered)
