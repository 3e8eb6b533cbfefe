"""The series of trainings at once: the soak's market of real daemons, broker and node, with many orders."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from tests.benchmarks import machine
from tests.benchmarks.growth.series import Point, Series, Told, missing
from tests.soak.market import KEY_BITS
from tests.soak.report import SoakReport

WHOLE = (1, 10, 50, 200)
OWNERS, BUYERS = 6, 1
_SECONDS, _CLOCK, _MESSAGES = "processor seconds of all processes", "seconds by the clock", "messages"
_MEMORY = "peak MiB of the largest daemon and its worker"
PER_TRAINING = "processor seconds a training"


class Spent(NamedTuple):
    """Seconds of daemons, broker and node together, and those by the clock, starting and ending included."""

    processor: float
    clock: float


def soaked(trainings: int) -> tuple[SoakReport, Spent]:
    """What the soak tells, and what it took.

    Raises RuntimeError, with its last words, where it ended otherwise than well.
    """
    with tempfile.TemporaryDirectory() as folder:
        report, spent = Path(folder) / "report.json", Path(folder) / "seconds"
        options = {"trainings": trainings, "hours": 0, "owners": OWNERS, "buyers": BUYERS, "json": report}
        command = [sys.executable, "-m", "tests.benchmarks.processor_time", str(spent)]
        command += [sys.executable, "-m", "tests.soak"]
        command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
        began = perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{trainings} trainings at once: {done.stderr[-2000:]}")
        took = Spent(float(spent.read_text()), perf_counter() - began)
        return SoakReport.model_validate_json(report.read_bytes()), took


def point_of(trainings: int, report: SoakReport, spent: Spent) -> Point:
    """A soak's figures; raises RuntimeError where one has not finished, or none were ordered at once."""
    part = report.at_once
    if part is None or part.endings != {"FINISHED": trainings}:
        raise RuntimeError(f"of {trainings} trainings there came: {part and part.endings}")
    largest = max(one.peak_daemon + one.peak_workers for one in report.memory.values())
    figures = {
        _SECONDS: spent.processor,
        PER_TRAINING: spent.processor / trainings,
        _CLOCK: spent.clock,
        _MESSAGES: float(part.messages),
        _MEMORY: largest / 2**20,
    }
    return Point(size=trainings, figures=figures)


def measure(sizes: Sequence[int], key_bits: int, told: Told) -> Series:
    """A soak of each size; raises RuntimeError where a training has not finished."""
    before, points = machine.describe(), []
    for size in sorted(sizes):
        told(f"trainings at once: {size}")
        points.append(point_of(size, *soaked(size)))
    return Series(
        name="trainings",
        title="Trainings at once",
        axis="trainings",
        how=(
            f"`make soak` without its day: {OWNERS} owners, {BUYERS} buyer and an aggregator as daemons, "
            f"RabbitMQ and a node, keys of {KEY_BITS} bits whatever the option says, two or three rounds "
            "each, two features. Starting the market counts, so that one training alone is dear."
        ),
        points=points,
        left_out=missing(WHOLE, sizes),
        bottleneck=bottleneck(points),
        moved_by=(
            "more cores, since each daemon works out steps in processes of its own; buyers and owners on "
            "machines of their own, as they are in a market; a faster chain where the processor is idle"
        ),
        machine=before,
    )


def bottleneck(points: Sequence[Point]) -> str:
    """The processor where it was busy for most of the clock's seconds, else the waiting."""
    last = points[-1].figures
    busy = last[_SECONDS] / (last[_CLOCK] * machine.describe().cores)
    each = f"{last[PER_TRAINING]:.1f} processor seconds a training at {points[-1].size:,} at once"
    if busy > 0.5:
        return f"the processor: {each}, {busy:.0%} of all cores' time"
    return f"waiting for blocks and other programs: {each}, only {busy:.0%} of all cores' time"
