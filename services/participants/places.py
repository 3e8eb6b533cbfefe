"""How many trainings may be under way at once: an opening costs its buyer a deposit that it gets back."""

import time
from collections.abc import Callable
from functools import cached_property

import structlog
from cachetools import TTLCache

from services.store import Store

EACH_BUYER, IN_ALL = 64, 1024
FRESH_SECONDS = 60.0
"""So long a place is kept for a training whose first input is on its way into the store."""

_log = structlog.get_logger(__name__)


class Places:
    """The places of one daemon: so many for each buyer, so many in all."""

    def __init__(
        self,
        store: Store,
        each_buyer: int = EACH_BUYER,
        in_all: int = IN_ALL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`store` tells which trainings are under way, and whose they are."""
        self._store, self._each_buyer, self._in_all = store, each_buyer, in_all
        self._fresh: TTLCache[str, None] = TTLCache(2 * in_all, FRESH_SECONDS, clock)

    def objection(self, training: int, buyer: str) -> str:
        """The code "too_many_trainings" for one that gets no place; empty where it has or gets one."""
        key, under_way = str(training), set(self._store.keys_under_way())
        for stored in under_way.intersection(self._fresh):
            del self._fresh[stored]
        for gone in self._buyers.keys() - under_way - set(self._fresh):
            del self._buyers[gone]
        if key in under_way or key in self._fresh:
            return ""
        of_buyer = sum(whose == buyer for whose in self._buyers.values())
        if of_buyer >= self._each_buyer or len(under_way.union(self._fresh)) >= self._in_all:
            _log.warning(
                "training_gets_no_place",
                training=training,
                buyer=buyer,
                of_buyer=of_buyer,
                in_all=len(under_way),
            )
            return "too_many_trainings"
        self._buyers[key] = buyer
        self._fresh[key] = None
        return ""

    @cached_property
    def _buyers(self) -> dict[str, str]:
        """The buyer by training: at first of those whose opening is noted, then of all that come."""
        opened = (data for data, _ in self._store.facts_named("Opened"))
        return {str(data["training"]): str(data["buyer"]) for data in opened}
