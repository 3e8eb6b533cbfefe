"""What an aggregator's operator sees, read out of its store: who answered, who is waited for, until when."""

from dataclasses import dataclass
from functools import lru_cache

from protocol.roles.aggregator.lanes import (
    EvaluationLane,
    MeasuringLane,
    OpeningLane,
    RefreshingLane,
    SigningLane,
    TrainingLane,
)
from protocol.roles.aggregator.state import AggregatorState, TrainingState
from protocol.roles.dispatch import decode_state
from protocol.roles.shared.parties import Parties
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.timeline import timeline
from services.console.presentation.training_record import TrainingRecord
from services.console.web.section import LISTED
from services.records.chain_history import chain_story
from services.store import InstanceRow, Store

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
class Summary:
    """A training in the list; `waiting` counts those who have not answered the question in hand."""

    key: str
    training: int | None
    name: str | None
    buyer: str | None
    shown: str
    rounds: int | None
    recorded: int
    waiting: int
    changed_at: float


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail(TrainingRecord):
    """Everything about one training."""

    summary: Summary
    work: tuple[Work, ...]
    deadlines: tuple[Deadline, ...]
    answers: tuple[tuple[str, str], ...]
    dropped: tuple[str, ...]


def summaries(store: Store, count: int = LISTED, skipped: int = 0) -> list[Summary]:
    """So many trainings, the newest change first."""
    return [_summary(row) for row in store.newest_instances(count, skipped)]


@lru_cache(maxsize=4096)
def _summary(row: InstanceRow) -> Summary:
    state = state_of(row)
    return Summary(
        key=row.key,
        training=row.training,
        name=None if state.request is None else state.request.name,
        buyer=None if state.opened is None else state.opened.buyer,
        shown=row.display_status,
        rounds=None if state.request is None else state.request.schedule.rounds,
        recorded=state.recorded,
        waiting=sum(len(work.waiting) for work in work_in_hand(state)),
        changed_at=row.updated_at,
    )


def detail(store: Store, key: str) -> Detail | None:
    """One training; None where the store has none of that key."""
    row = store.instance(key)
    if row is None:
        return None
    state, story, facts = state_of(row), chain_story(store, row.training), store.facts(key)
    return Detail(
        summary=_summary(row),
        request=state.request,
        failure=state.failure,
        work=work_in_hand(state),
        deadlines=() if row.finished else _deadlines(store, key),
        answers=tuple(
            (str(data["owner"]), str(data["decision"]))
            for name, data, _at in facts
            if name == "owner_answered"
        ),
        dropped=state.parties.addresses(state.dropped),
        story=story,
        timeline=timeline(facts, story),
    )


def _deadlines(store: Store, key: str) -> tuple[Deadline, ...]:
    timers = ((name.partition(":")[0], at) for name, at in store.timers_of(key))
    return tuple(Deadline(_TIMERS[kind], at) for kind, at in timers if kind in _TIMERS)


def work_in_hand(state: AggregatorState) -> tuple[Work, ...]:
    """The rounds in hand: one in training, and the one before it being measured."""
    if not isinstance(state, TrainingState):
        return ()
    rounds = []
    if state.evaluation is not None:
        rounds.append(_measured(state.evaluation, state.parties))
    if state.training_lane is not None:
        rounds.append(_trained(state.training_lane, state.parties))
    return tuple(rounds)


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


def state_of(row: InstanceRow) -> AggregatorState:
    """The role's own state of an instance."""
    state = decode_state("federated_aggregator", row.state)
    assert isinstance(state, AggregatorState)
    return state
