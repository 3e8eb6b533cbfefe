"""What a market's daemons tell of themselves and what memory they hold, read again and again."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.soak.market import SoakMarket

FINAL = ("FINISHED", "DECLINED", "FAILED")
_COUNTED = "deltaml_messages_published_total"
_READ = ("deltaml_trainings{", "deltaml_inbox_inputs", "deltaml_outbox_effects", _COUNTED)
"""How the lines begin that are read; parsing all of them would cost more than the daemons' own work."""


@dataclass(frozen=True)
class Reading:
    """A daemon's own metrics at one moment."""

    trainings: Mapping[str, int] = field(default_factory=dict)
    inputs: int = 0
    effects: int = 0
    published: int = 0

    @property
    def is_quiet(self) -> bool:
        """Whether every training has ended and nothing waits."""
        ended = all(state.startswith(FINAL) for state in self.trainings)
        return ended and not self.inputs and not self.effects


def reading_of(text: str) -> Reading:
    """From what `/metrics` answers."""
    trainings: Counter[str] = Counter()
    figures: Counter[str] = Counter()
    read = "".join(line for line in text.splitlines(keepends=True) if line.startswith(_READ))
    for family in text_string_to_metric_families(read):
        for sample in family.samples:
            if sample.name == "deltaml_trainings":
                trainings[sample.labels["state"]] += int(sample.value)
            else:
                figures[sample.name] += int(sample.value)
    inputs, effects = figures["deltaml_inbox_inputs"], figures["deltaml_outbox_effects"]
    return Reading(trainings, inputs, effects, figures[_COUNTED])


@dataclass(frozen=True)
class Memory:
    """Resident bytes of a daemon's own process and of its pool's workers together, `seconds` into the run."""

    seconds: float
    process: int
    daemon: int
    workers: int


class Observer:
    """Reads every daemon of a market; a daemon that is away is left out until it is back."""

    def __init__(self, market: SoakMarket) -> None:
        self._market = market
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._began = time.monotonic()
        self._last: Counter[str] = Counter()
        self.published: Counter[str] = Counter()
        self.readings: dict[str, Reading] = {}
        self.memory: dict[str, list[Memory]] = {name: [] for name in market.daemons}

    async def close(self) -> None:
        await self._session.close()

    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._began

    async def look(self) -> None:
        """One reading and one sample of memory of each daemon."""
        for name in self._market.daemons:
            if (text := await self._scrape(name)) is None:
                self.readings.pop(name, None)
                continue
            reading = self.readings[name] = reading_of(text)
            # A daemon that was started again counts from zero.
            before = self._last[name] if reading.published >= self._last[name] else 0
            self.published[name] += reading.published - before
            self._last[name] = reading.published
            self._sample(name)

    def is_quiet(self) -> bool:
        """Whether every daemon was there and had nothing to do when last read."""
        there = len(self.readings) == len(self._market.daemons)
        return there and all(reading.is_quiet for reading in self.readings.values())

    def states(self, prefix: str) -> Counter[str]:
        """Trainings by state, over the daemons whose name begins so."""
        found: Counter[str] = Counter()
        for name, reading in self.readings.items():
            if name.startswith(prefix):
                found.update(reading.trainings)
        return found

    async def _scrape(self, name: str) -> str | None:
        url = f"http://127.0.0.1:{self._market.metrics_ports[name]}/metrics"
        try:
            async with self._session.get(url) as answer:
                return await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None

    def _sample(self, name: str) -> None:
        process = self._market.daemons[name].process
        assert process is not None
        own = resident(process.pid)
        if own is None:
            return
        # The process between a daemon and its workers only forks them and never changes.
        workers = [resident(worker) or 0 for server in children(process.pid) for worker in children(server)]
        self.memory[name].append(Memory(self.seconds(), process.pid, own, sum(workers)))


def resident(pid: int) -> int | None:
    """VmRSS in bytes; None for a process that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return None


def children(pid: int) -> Iterator[int]:
    """Processes that this one started and that still run."""
    try:
        yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except OSError:
        return
