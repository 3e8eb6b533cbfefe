"""Which aggregators admit an owner, which do not, and when it asks these again."""

from dataclasses import dataclass

from services.store import Store

ANSWERED = "aggregator:"
"""Under this name and the aggregator's address an owner keeps what it was answered."""
ADMITTED, REFUSED = b"admitted", b"refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An aggregator's; `asks_again_at` is in Unix seconds, None while the owner is asking."""

    aggregator: str
    asks_again_at: float | None


def admitted_by(store: Store) -> frozenset[str]:
    """The aggregators that have admitted the owner of this store."""
    return frozenset(one for one, answer in store.values(ANSWERED).items() if answer == ADMITTED)
