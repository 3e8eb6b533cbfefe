"""What a buyer sees, read out of its store: pure functions from rows and facts to plain values."""

from dataclasses import dataclass
from typing import Any

from protocol.records import FIXED_POINT
from protocol.roles.buyer_state import BuyerState
from protocol.roles.dispatch import decode_state
from services.store import InstanceRow, Store

Noted = tuple[str, dict[str, Any], float]
"""A fact: name, data, when."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A training in the list; errors × 1e18, amounts in wei."""

    key: str
    training: int | None
    name: str
    shown: str
    rounds: int
    recorded: int
    mse: int | None
    improvement: float | None
    paid_wei: int | None
    deposit_wei: int
    started_at: float | None
    changed_at: float


def summaries(store: Store) -> list[Summary]:
    """All trainings, the newest change first."""
    return [summary_of(row, store.facts(row.key)) for row in reversed(store.instances())]


def summary_of(row: InstanceRow, facts: list[Noted]) -> Summary:
    """One training for the list."""
    state = state_of(row)
    rounds = [data for name, data, _at in facts if name == "round_recorded"]
    settled = next((data for name, data, _at in facts if name == "settled"), None)
    return Summary(
        key=row.key,
        training=row.training,
        name=state.request.name,
        shown=row.shown,
        rounds=state.request.schedule.rounds,
        recorded=state.recorded,
        mse=int(rounds[-1]["mse_after"]) if rounds else None,
        improvement=_improvement(rounds, settled),
        paid_wei=None if settled is None else int(settled["paid_wei"]),
        deposit_wei=state.request.payment.deposit_wei,
        started_at=next((at for name, _data, at in facts if name == "started"), None),
        changed_at=row.updated_at,
    )


def state_of(row: InstanceRow) -> BuyerState:
    """The role's own state of an instance."""
    state = decode_state("model_buyer", row.state)
    assert isinstance(state, BuyerState)
    return state


def _improvement(rounds: list[dict[str, Any]], settled: dict[str, Any] | None) -> float | None:
    if settled is not None:
        return int(settled["improvement"]) / FIXED_POINT
    if not rounds or not int(rounds[0]["mse_before"]):
        return None
    gained = sum(int(data["mse_before"]) - int(data["mse_after"]) for data in rounds)
    return min(max(gained / int(rounds[0]["mse_before"]), 0.0), 1.0)
