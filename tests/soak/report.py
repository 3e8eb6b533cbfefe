"""What a soak came to: figures as JSON and as a table for people."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from tests.benchmarks.machine import MachineReport
from tests.soak.readings import Memory

STEADY = 0.05
"""How far a daemon's resident memory may spread over the last third of the day."""


class MemoryReport(BaseModel):
    """Bytes of the largest daemon of a kind; `spread` is (most − least) / least of the worst."""

    peak_daemon: int
    peak_workers: int
    spread: float


class Part(BaseModel):
    """One part of the soak: the trainings of so many seconds, and how they ended for their buyers."""

    trainings: int
    seconds: float
    messages: int
    endings: dict[str, int]
    dead_letters: dict[str, int]

    @property
    def trainings_per_minute(self) -> float:
        return 60 * self.trainings / self.seconds

    @property
    def messages_per_second(self) -> float:
        return self.messages / self.seconds


class SoakReport(BaseModel):
    """Everything; `on_chain` is how trainings ended there, `disturbances` what was done to daemons."""

    machine: MachineReport
    seed: int
    owners: int
    buyers: int
    key_bits: int
    hours: float
    seconds_per_hour: float
    at_once: Part | None
    life: Part | None
    on_chain: dict[str, int]
    disturbances: dict[str, int]
    memory: dict[str, MemoryReport]


def memory_report(samples: Mapping[str, Sequence[Memory]], since: float) -> dict[str, MemoryReport]:
    """By kind of daemon; the spread is of samples from `since` on, in seconds of the run."""
    by_kind: defaultdict[str, list[MemoryReport]] = defaultdict(list)
    for name, taken in samples.items():
        assert taken, f"{name} never told anything"
        by_kind[name.partition("-")[0]].append(
            MemoryReport(
                peak_daemon=max(one.daemon for one in taken),
                peak_workers=max(one.workers for one in taken),
                spread=spread([one for one in taken if one.seconds >= since]),
            )
        )
    return {
        kind: MemoryReport(
            peak_daemon=max(one.peak_daemon for one in reports),
            peak_workers=max(one.peak_workers for one in reports),
            spread=max(one.spread for one in reports),
        )
        for kind, reports in by_kind.items()
    }


def spread(samples: Sequence[Memory]) -> float:
    """(most − least) / least of what daemon and workers hold together; infinite where nothing was read."""
    held = [one.daemon + one.workers for one in samples]
    if not held:
        return math.inf
    return (max(held) - min(held)) / min(held)


def show(console: Console, report: SoakReport) -> None:
    """Tables for people."""
    parties = f"{report.buyers} buyers, {report.owners} owners, {report.key_bits} bits"
    figures = Table(
        title=f"{parties}, {report.machine.cores} cores, load before {report.machine.load_before:.1f}"
    )
    figures.add_column("figure")
    parts = {"all at once": report.at_once, f"{report.hours:g} simulated hours": report.life}
    parts = {name: part for name, part in parts.items() if part is not None}
    for name in parts:
        figures.add_column(name, justify="right")
    rows = {
        "trainings": lambda part: f"{part.trainings}",
        "seconds": lambda part: f"{part.seconds:.0f}",
        "trainings a minute": lambda part: f"{part.trainings_per_minute:.1f}",
        "messages a second": lambda part: f"{part.messages_per_second:.0f}",
        "endings": lambda part: _counted(part.endings),
        "dead letters": lambda part: _counted(part.dead_letters) or "none",
    }
    for label, text in rows.items():
        figures.add_row(label, *(text(part) for part in parts.values()))
    console.print(figures)
    memory = Table(title="resident memory, the largest of each kind")
    for heading in ("daemon", "peak MiB", "its worker's", "spread over the last third"):
        memory.add_column(heading, justify="left" if heading == "daemon" else "right")
    for kind, held in report.memory.items():
        peaks = (held.peak_daemon, held.peak_workers)
        memory.add_row(kind, *(f"{peak / 2**20:.0f}" for peak in peaks), f"{held.spread:.1%}")
    console.print(memory)
    console.print(f"on chain: {_counted(report.on_chain)}")
    console.print(f"disturbances: {_counted(report.disturbances) or 'none'}")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
