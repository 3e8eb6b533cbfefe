"""Signs of life beyond an open port: when each task of a daemon last came round, and how late its loop runs.

A task that waits for work comes round all the same, at least every IDLE_SECONDS; one that hangs does not.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

TICK_SECONDS = 1.0


class Heartbeats:
    """One daemon's; `at` has the time (seconds since 1970) of each task's last beat."""

    def __init__(self, tick_seconds: float = TICK_SECONDS) -> None:
        self._tick_seconds = tick_seconds
        self.at: dict[str, float] = {}
        self._lags: deque[float] = deque([0.0], maxlen=60)

    def beat(self, task: str) -> None:
        """A task came round."""
        self.at[task] = time.time()

    @property
    def lag(self) -> float:
        """By how many seconds the loop was late at its latest tick of the last minute."""
        return max(self._lags)

    async def run(self, on_tick: Callable[[], None] = lambda: None) -> None:
        """Tick until cancelled; `on_tick` is called each time."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(self._tick_seconds)
            self._lags.append(max(0.0, time.monotonic() - before - self._tick_seconds))
            self.beat("loop")
            on_tick()
