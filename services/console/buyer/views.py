"""What a buyer sees, read out of its store: pure functions from rows and facts to plain values."""

from dataclasses import dataclass
from functools import lru_cache

from protocol.bought_model import BoughtModel
from protocol.codec import unpack
from protocol.payment import earned
from protocol.request import Request
from protocol.roles.buyer.state import BuyerState
from protocol.roles.dispatch import decode_state
from services.console.presentation.timeline import timeline
from services.console.presentation.training_record import TrainingRecord
from services.console.web.section import LISTED
from services.records.chain_history import ChainStory, chain_story
from services.store import InstanceRow, Store

FINAL_PHASES = frozenset({"finished", "failed", "collecting"})


@dataclass(frozen=True, slots=True)
class Summary:
    """A training in the list; errors × 1e18."""

    key: str
    training: int | None
    name: str
    shown: str
    rounds: int
    recorded: int
    improvement: float | None
    mse_first: int | None
    mse: int | None
    paid: int
    deposit: int
    started_at: float | None
    changed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail(TrainingRecord):
    """Everything about one training but its model."""

    summary: Summary
    request: Request
    refund: int | None
    stoppable: bool
    stopping: bool
    has_model: bool


def summaries(store: Store, count: int = LISTED, skipped: int = 0) -> list[Summary]:
    """So many trainings, the newest change first."""
    return [_summary(store, row) for row in store.newest_instances(count, skipped)]


@lru_cache(maxsize=4096)
def _summary(store: Store, row: InstanceRow) -> Summary:
    """A list of many trainings is drawn again for each change of one: the others' are known.

    Whatever a summary tells has been noted before the step that it led to, which changes the row.
    """
    return summary_of(row, chain_story(store, row.training))


def summary_of(row: InstanceRow, story: ChainStory) -> Summary:
    """One training for the list."""
    state = state_of(row)
    started = next((entry.at for entry in story.transactions if entry.event == "RolesDrawn"), None)
    return Summary(
        key=row.key,
        training=row.training,
        name=state.request.name,
        shown=row.display_status,
        rounds=state.request.schedule.rounds,
        recorded=len(story.rounds),
        improvement=story.improvement,
        mse_first=story.rounds[0].mse_before if story.rounds else None,
        mse=story.rounds[-1].mse_after if story.rounds else None,
        paid=_paid(state.request, story),
        deposit=state.request.payment.deposit_wei,
        started_at=started,
        changed_at=row.updated_at,
    )


def detail(store: Store, key: str) -> Detail | None:
    """One training; None where the store has none of that key."""
    row = store.instance(key)
    if row is None:
        return None
    state, story = state_of(row), chain_story(store, row.training)
    refund = next((amount for (_who, share), amount in story.credited.items() if share == "refund"), None)
    return Detail(
        summary=summary_of(row, story),
        request=state.request,
        refund=refund,
        story=story,
        timeline=timeline(store.facts(key), story),
        failure=state.failure,
        stoppable=state.training is not None and state.phase not in FINAL_PHASES and not state.stopped,
        stopping=state.stopped and state.phase not in FINAL_PHASES,
        has_model=store.result(key, "model") is not None,
    )


def model_of(store: Store, key: str) -> BoughtModel | None:
    """The bought model: for operators alone."""
    content = store.result(key, "model")
    return None if content is None else unpack(BoughtModel, content)


def state_of(row: InstanceRow) -> BuyerState:
    """The role's own state of an instance."""
    state = decode_state("model_buyer", row.state)
    assert isinstance(state, BuyerState)
    return state


def _paid(request: Request, story: ChainStory) -> int:
    """What was paid, or would be if the training ended now."""
    if story.settled is not None:
        return int(story.settled["paid"])
    return earned(request, story.rounds).total()
