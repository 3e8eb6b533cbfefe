"""Timers, measured in the time in which the daemon could ask its peers and hear them.

A deadline is there to notice that somebody is silent. While the daemon was stopped, while the broker, the own
node or the disk was away and when somebody set the clock, silence meant nothing: that time does not count, so
what had two minutes left has two minutes left, and nobody is left out for what was wrong here. After such a
spell no timer fires before the backlog of the queues could be taken in. The contract's own clock goes on
meanwhile; its events say what became of that.
"""

import asyncio
import struct
import time
from collections.abc import Callable

import structlog

from protocol.roles.engine.inputs import TimerFired
from services.common.errors import StoreUnavailable
from services.common.tasks import wait_for_event
from services.runtime.input_codec import queued, timer_identity
from services.runtime.resources import Resources
from services.store.waiting import pause, retry_while_unavailable

_log = structlog.get_logger(__name__)

GRACE_SECONDS = 3.0
"""The least that is left of every timer after a spell that does not count."""
JUMP_SECONDS = 1.0
"""Wall and monotonic clock may drift apart by this much between two beats before the wall clock was set."""
BROKER_AWAY, STORE_AWAY, NODE_AWAY = "broker away", "store away", "node away"
"""Why time does not count."""

_DEAF_SECONDS = 0.5
_ALIVE = "alive_at"


class Clock:
    """The time of day, which people may set, and the time that has passed, which nobody sets; in seconds."""

    def wall(self) -> float:
        """Since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Since some moment."""
        return time.monotonic()


class Timers:
    """Fires one daemon's timers."""

    def __init__(
        self,
        resources: Resources,
        on_input: Callable[[str], None],
        *,
        obstacle: Callable[[], str | None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        """`on_input` is told the keys of instances whose timer has become an input.

        `obstacle` says what else than broker and store keeps peers from being asked or heard now, None where
        nothing does.
        """
        self._resources, self._store, self._bus = resources, resources.store, resources.bus
        self._on_input, self._pace, self._clock = on_input, resources.pace, clock or Clock()
        self._changed = asyncio.Event()
        self._wall, self._monotonic = self._clock.wall(), self._clock.monotonic()
        self._noted = self._monotonic
        self._other_obstacle = obstacle
        self._obstacle: str | None = None
        self._deaf: dict[str, float] = {}

    def wake(self) -> None:
        """Timers were set or cancelled."""
        self._changed.set()

    async def run(self) -> None:
        """Fire until cancelled."""
        await retry_while_unavailable(self.resume)
        while True:
            self._changed.clear()
            self._resources.heartbeats.beat("timers")
            try:
                wait = self.look()
            except StoreUnavailable as error:
                await pause(error)
                continue
            await wait_for_event(self._changed, wait)

    def resume(self) -> None:
        """At the start: the time since the last beat does not count."""
        self._wall, self._monotonic = self._clock.wall(), self._clock.monotonic()
        self._obstacle = self._found_obstacle()
        alive_at = self._store.values(_ALIVE).get("")
        if alive_at is not None:
            self._does_not_count(self._wall - struct.unpack(">d", alive_at)[0], "stopped")
        self._note_alive()

    def look(self) -> float:
        """Fire what is due; returns for how many seconds there is nothing to do.

        Raises StoreUnavailable while nothing can be stored: what could be heard could not be taken in then.
        """
        try:
            self._account()
            return self._fire_due()
        except StoreUnavailable:
            if self._obstacle is None:  # since the last write, perhaps
                unwritten = self._monotonic - self._noted
                self._deaf[STORE_AWAY] = max(unwritten, self._deaf.get(STORE_AWAY, 0.0))
            self._obstacle = STORE_AWAY
            raise

    def _account(self) -> None:
        """Take the spell since the last look into account: deaf, or with a clock that was set."""
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        passed = monotonic - self._monotonic
        jump = wall - self._wall - passed
        self._wall, self._monotonic = wall, monotonic
        if abs(jump) > JUMP_SECONDS:
            self._does_not_count(jump, "clock set")
        if self._obstacle is not None:
            self._deaf[self._obstacle] = self._deaf.get(self._obstacle, 0.0) + passed
        self._obstacle = self._found_obstacle()
        if self._obstacle is not None:
            return  # nothing fires, and a stop from here on does not count from when we last heard
        if self._deaf:
            self._does_not_count(sum(self._deaf.values()), ", ".join(self._deaf))
            self._deaf.clear()
        if monotonic - self._noted >= self._pace.beat:
            self._note_alive()

    def _fire_due(self) -> float:
        """Turn what has run out into inputs; returns for how long there is nothing to do."""
        if self._obstacle is not None:
            return _DEAF_SECONDS
        now, due = self._clock.wall(), self._store.next_timer_at()
        if due is None or due > now:  # as almost always: one question less of the store
            return self._pace.beat if due is None else min(self._pace.beat, due - now)
        for key, name, fire_at in self._store.due_timers(now):
            content = queued(TimerFired(name=name))
            self._store.timer_to_input(key, name, timer_identity(key, name, fire_at), content)
            self._on_input(key)
        due = self._store.next_timer_at()
        return self._pace.beat if due is None else min(self._pace.beat, max(0.0, due - now))

    def _found_obstacle(self) -> str | None:
        if self._store.is_away:  # perhaps nobody else would find out that it is back
            self._store.probe()
        return self._other_obstacle() if self._bus.is_connected else BROKER_AWAY

    def _does_not_count(self, seconds: float, reason: str) -> None:
        if abs(seconds) > JUMP_SECONDS:
            _log.info("timers_postponed", seconds=round(seconds, 1), reason=reason)
        self._store.postpone(seconds, self._clock.wall() + GRACE_SECONDS)

    def _note_alive(self) -> None:
        self._store.put_value(_ALIVE, struct.pack(">d", self._clock.wall()))
        self._noted = self._clock.monotonic()
