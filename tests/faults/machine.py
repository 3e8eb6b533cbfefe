"""Faults of the machine under a daemon: a full disk, a clock that jumps, a process that hardly runs."""

import asyncio
import signal
from pathlib import Path

from tests.faults.fault import Fault
from tests.faults.market import BOUND_SECONDS, Training

_DAY = 86_400


class DiskFull(Fault):
    """SQLite can write nothing for some seconds; then there is space again."""

    async def during(self, training: Training) -> None:
        self.victim = self.anybody("listener")
        self.daemon = self.market.daemons[self.victim]
        self.starts = self.daemon.starts
        self.market.blamed.add(self.victim)
        await self.moment(training, 60)
        self.daemon.board["disk"] = 1
        await self.pause(0.5, 4.0)
        async with asyncio.timeout(BOUND_SECONDS):  # it writes that it is alive, if nothing else
            while not self.daemon.board["disk_full"]:
                await asyncio.sleep(0.05)
        self.daemon.board["disk"] = 0
        self.market.blamed.discard(self.victim)

    async def after(self, training: Training) -> str:
        assert self.daemon.board["disk_full"]
        assert self.daemon.starts == self.starts
        return f"{self.victim}: {self.daemon.board['disk_full']} writes refused"


class ClockJumps(Fault):
    """One daemon's wall clock jumps by an hour to a day, forwards or backwards, and stays so."""

    async def during(self, training: Training) -> None:
        self.victim = self.anybody("listener")
        self.jump = self.chance.randint(3600, _DAY) * (1 if self.index % 2 else -1)
        await self.moment(training, 60)
        self.board = self.market.daemons[self.victim].board
        self.board["clock"] = self.jump

    async def after(self, training: Training) -> str:
        assert self.board["clock_read"]
        read = self.board["clock_read"]
        self.board["clock"] = 0
        daemon = self.market.daemons[self.victim]
        daemon.kill()
        daemon.start()
        return f"{self.victim}: {self.jump:+} s, read {read} times"


class SlowConsumer(Fault):
    """A daemon that is stopped for seconds at a time, or dawdles over every batch of messages."""

    async def before(self) -> None:
        self.victim = self.anybody()
        self.daemon = self.market.daemons[self.victim]
        self.stops = 0
        self.dawdles = self.index % 2 == 0
        if self.dawdles:
            self.daemon.board["slow"] = self.chance.randint(200, 800)

    async def during(self, training: Training) -> None:
        if self.dawdles:
            return
        for last in (20, 40, 60):
            await self.moment(training, last)
            self.daemon.signal(signal.SIGSTOP)
            while await asyncio.to_thread(_state_of, self.daemon.pid) != "T":
                await asyncio.sleep(0.01)
            self.stops += 1
            await self.pause(0.5, 3.0)
            self.daemon.signal(signal.SIGCONT)

    async def after(self, training: Training) -> str:
        if self.dawdles:
            slowed, wait = self.daemon.board["slowed"], self.daemon.board["slow"]
            assert slowed
            return f"{self.victim}: {slowed} messages after {wait} ms each batch"
        assert self.stops == 3
        return f"{self.victim}, pid {self.daemon.pid}: stopped three times"


def _state_of(pid: int) -> str:
    """The system's letter: T for a process that is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
