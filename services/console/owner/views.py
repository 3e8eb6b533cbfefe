"""What an owner sees of its trainings: pure functions from store and catalogue to plain values."""

from dataclasses import dataclass
from functools import lru_cache

from protocol.learning.descent import StepSizeDiverges
from protocol.learning.kinds.registry import check_step_size
from protocol.owner_policy import OwnerPolicy
from protocol.payment import PayRange, earned, paid_to, pay_range
from protocol.request import Request
from protocol.requirements import mismatches
from protocol.roles.dispatch import decode_state
from protocol.roles.owner.budget import Counts, Standing, standing
from protocol.roles.owner.state import OwnerState
from services.console.party import OwnerResources
from services.console.presentation.timeline import timeline
from services.console.presentation.training_record import TrainingRecord
from services.console.web.section import LISTED
from services.data.catalog import Catalog, Entry
from services.records.chain_history import ChainStory, chain_story
from services.records.owner_account import counts_of, ordered_policy
from services.store import InstanceRow, Store

_UNDECIDED = ("waiting", "ready")


@dataclass(frozen=True, slots=True)
class Match:
    """One data set beside a request; `diverges` is the verdict on the step size, for this owner alone."""

    data_set: str
    rows: int
    reasons: tuple[str, ...]
    diverges: str | None
    standing: Standing

    @property
    def serves(self) -> bool:
        """Whether it could take part."""
        return not self.reasons and self.diverges is None


@dataclass(frozen=True, slots=True)
class Summary:
    """A training in the list; `join_until` in Unix seconds."""

    key: str
    training: int
    name: str
    shown: str
    buyer: str
    role: str | None
    data_set: str | None
    rounds: int
    recorded: int
    pay: PayRange
    earned: int
    join_until: int | None
    changed_at: float

    @property
    def asks(self) -> bool:
        """Whether a person's decision is waited for."""
        return self.shown == "READY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail(TrainingRecord):
    """Everything about one training."""

    summary: Summary
    request: Request
    matches: tuple[Match, ...]
    rows: int

    @property
    def serving(self) -> tuple[Match, ...]:
        """The data sets that may be chosen."""
        return tuple(match for match in self.matches if match.serves)


def policy_in_force(store: Store, owner: OwnerResources) -> OwnerPolicy:
    """The ordered policy, or the configuration's."""
    return ordered_policy(store) or owner.configured


def summaries(store: Store, address: str, count: int = LISTED) -> list[Summary]:
    """Trainings with an invitation: all that ask for a decision, then the `count` that changed last."""
    rows = list(reversed(store.instances()))
    asking = [row for row in rows if row.display_status == "READY"]
    others = [row for row in rows if row.display_status != "READY"][:count]
    states = [(row, state_of(row)) for row in (*asking, *others)]
    return [
        _summary(row, state, state.request, chain_story(store, row.training), address)
        for row, state in states
        if state.request is not None
    ]


def detail(store: Store, owner: OwnerResources, address: str, key: str) -> Detail | None:
    """One training; None where the store has no invitation of that key."""
    row = store.instance(key)
    state = None if row is None else state_of(row)
    if row is None or state is None or state.request is None:
        return None
    story = chain_story(store, row.training)
    matches: tuple[Match, ...] = ()
    if state.phase in _UNDECIDED:
        budgeted = (policy_in_force(store, owner), counts_of(store))
        matches = matches_of(state.request, _buyer(state), owner.catalogue, *budgeted)
    return Detail(
        summary=_summary(row, state, state.request, story, address),
        request=state.request,
        matches=matches,
        story=story,
        timeline=timeline(store.facts(key), story),
        failure=state.failure,
        rows=state.rows,
    )


def matches_of(
    request: Request, buyer: str, catalogue: Catalog, policy: OwnerPolicy, counts: Counts
) -> tuple[Match, ...]:
    """Every data set beside a request, those that serve first."""
    matches = []
    for entry in catalogue.list():
        reasons, diverges = _verdict(catalogue, entry, request)
        place = standing(policy.budget, counts, request, buyer, entry.name)
        matches.append(Match(entry.name, entry.rows, reasons, diverges, place))
    return tuple(sorted(matches, key=lambda match: not match.serves))


@lru_cache(maxsize=256)
def _verdict(catalogue: Catalog, entry: Entry, request: Request) -> tuple[tuple[str, ...], str | None]:
    """(why the data do not match, why the step size diverges on them), as the daemon will find."""
    statistic = catalogue.load(entry.name)
    reasons = mismatches(request, statistic)
    if reasons:
        return reasons, None
    try:
        check_step_size(request, statistic)
    except StepSizeDiverges as error:
        return (), str(error)
    return (), None


def state_of(row: InstanceRow) -> OwnerState:
    """The role's own state of an instance."""
    state = decode_state("data_owner", row.state)
    assert isinstance(state, OwnerState)
    return state


def _buyer(state: OwnerState) -> str:
    assert state.opened is not None
    return state.opened.buyer


def _summary(
    row: InstanceRow, state: OwnerState, request: Request, story: ChainStory, address: str
) -> Summary:
    role = "trainer" if address in story.trainers else "validator" if address in story.validators else None
    pay = story.credited or earned(request, story.rounds)
    return Summary(
        key=row.key,
        training=state.training,
        name=request.name,
        shown=row.display_status,
        buyer=_buyer(state),
        role=role,
        data_set=state.data_set,
        rounds=request.schedule.rounds,
        recorded=len(story.rounds),
        pay=pay_range(request),
        earned=paid_to(pay, address),
        join_until=state.join_until if state.phase in _UNDECIDED else None,
        changed_at=row.updated_at,
    )
