"""What an owner's operator should know of aggregators that do not admit it, in words for /health."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from services.common.errors import StoreUnavailable
from services.participants.data_owner import OwnerRole
from services.records.admissions import Refusal


def refusal_notes(role: OwnerRole, names: Mapping[str, str]) -> list[str]:
    """A line for each aggregator that refuses, with its name from the operator's own address book."""
    with suppress(StoreUnavailable):  # which is told as a failure
        return [_note(one, names) for one in role.refusals()]
    return []


def _note(refusal: Refusal, names: Mapping[str, str]) -> str:
    who = " ".join(filter(None, (names.get(refusal.aggregator), refusal.aggregator)))
    if refusal.asks_again_at is None:
        return f"refused by aggregator {who}, asks again now"
    moment = datetime.fromtimestamp(refusal.asks_again_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"refused by aggregator {who}, asks again at {moment}"
