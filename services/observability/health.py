"""Whether a daemon can do its work: broker, chain and store have answered lately.

They are asked on a schedule of their own: a daemon that has nothing to send for hours would not notice that
nobody listens.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from protocol.errors import DeltaMLError
from services.common.outages import Outage

_log = structlog.get_logger(__name__)

PROBE_SECONDS = 10.0
UNREACHABLE_SECONDS = 60.0
"""A broker that restarts, or a node, is back before this."""

Probe = Callable[[], Awaitable[Any]]
"""Asks a part something; an exception means that it does not answer."""


class Health:
    """One daemon's health."""

    def __init__(
        self,
        probes: dict[str, Probe],
        *,
        probe_seconds: float = PROBE_SECONDS,
        unreachable_seconds: float = UNREACHABLE_SECONDS,
    ) -> None:
        """`probes` by the name of the part; each counts as answered at the start."""
        self._probes = probes
        self._probe_seconds, self._bound = probe_seconds, unreachable_seconds
        self._answered_at = dict.fromkeys(probes, time.monotonic())
        self._reasons: dict[str, str] = {}
        self._outages = {part: Outage(_log, "unreachable", "reachable_again", part=part) for part in probes}
        self.doing: Callable[[], str] = str
        """What the daemon does, in a word or two; empty where nobody says."""
        self.arithmetic: Callable[[], str] = str
        """What computes, gmpy2 or the native kernel, and why; empty where nobody says."""
        self.notes: Callable[[], Sequence[str]] = tuple
        """What its operator should know though nothing fails."""
        self.up: dict[str, bool] = {}
        """Whether each part answered last time; empty before the first time."""

    async def run(self) -> None:
        """Ask every part again and again until cancelled."""
        while True:
            await asyncio.gather(*(self._ask(part, probe) for part, probe in self._probes.items()))
            await asyncio.sleep(self._probe_seconds)

    def document(self) -> dict[str, Any]:
        """What /health answers; `status` is `ok` or `failing`, and what is empty is left out."""
        failing = self.failing()
        if failing:
            return {"status": "failing", "parts": failing}
        told = {"doing": self.doing(), "arithmetic": self.arithmetic(), "notes": list(self.notes())}
        return {"status": "ok", **{name: value for name, value in told.items() if value}}

    def failing(self) -> dict[str, str]:
        """What is wrong, by part; empty in good health."""
        now = time.monotonic()
        return {
            part: f"no answer for {now - at:.0f} s"
            + (f": {self._reasons[part]}" if part in self._reasons else "")
            for part, at in self._answered_at.items()
            if now - at > self._bound
        }

    async def _ask(self, part: str, probe: Probe) -> None:
        try:
            async with asyncio.timeout(self._probe_seconds):
                await probe()
        except (DeltaMLError, OSError, TimeoutError) as error:
            self._outages[part].failed(error)
            self.up[part] = False
            # Errors of ours name the remedy and no secret.
            self._reasons[part] = str(error) if isinstance(error, DeltaMLError) else type(error).__name__
        else:
            self._outages[part].works()
            self.up[part] = True
            self._reasons.pop(part, None)
            self._answered_at[part] = time.monotonic()
