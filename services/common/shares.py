"""What each of many may do so often: a burst at first, then so many a second."""

import time
from collections.abc import Callable

from cachetools import LRUCache

_MOST_REMEMBERED = 4096


class Shares:
    """One bucket of tokens for each name; of the names used longest ago nothing is remembered."""

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Each name may take `burst` at once, and `per_second` more in every second."""
        self._burst, self._per_second, self._clock = burst, per_second, clock
        self._left: LRUCache[str, tuple[float, float]] = LRUCache(_MOST_REMEMBERED)

    def take(self, name: str) -> bool:
        """Take one of this name's share; False, and nothing taken, when it is used up."""
        now = self._clock()
        left, since = self._left.get(name, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._per_second)
        taken = left >= 1.0
        self._left[name] = (left - taken, now)
        return taken
