"""Which aggregators do not admit an owner, and when it asks them again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """An aggregator's; `asks_again_at` is in Unix seconds, None while the owner is asking."""

    aggregator: str
    asks_again_at: float | None
