"""What a way to do the job answers, and how it is taken from a process in the peers' environment."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from tests.benchmarks.peers.job import Job, Matrix

_ROOT = Path(__file__).parents[3]
_LAST_WORDS = 300


@dataclass
class Stopwatch:
    """Seconds of what ran under `running`, and of the processor."""

    wall: float = 0.0
    processor: float = 0.0

    @contextmanager
    def running(self):
        """Add the time of a block."""
        started, busy = perf_counter(), process_time()
        try:
            yield
        finally:
            self.wall += perf_counter() - started
            self.processor += process_time() - busy


@dataclass(frozen=True)
class Answer:
    """The weights, p, and what they took; `versions` are of the packages that made them.

    `weights` is None for a way that says its distance and error itself, by the same definitions.
    """

    weights: list[float] | None
    wall_seconds: float
    processor_seconds: float
    versions: dict[str, str] = field(default_factory=dict)
    distance: float | None = None
    error: float | None = None
    note: str = ""


@dataclass(frozen=True)
class NotRun:
    """Why there is no answer."""

    reason: str


def answer(weights: Matrix, clock: Stopwatch, *packages: str, note: str = "") -> Answer:
    """For a way whose work `clock` has timed."""
    versions = {name: version(name) for name in packages}
    return Answer(np.asarray(weights).tolist(), clock.wall, clock.processor, versions, note=note)


def write_answer(path: Path, given: Any) -> None:
    """As JSON, for the process that asked."""
    path.write_text(json.dumps(given), encoding="utf-8")


def answering(solve: Callable[[Job], Answer]) -> None:
    """`python -m MODULE JOB ANSWER`: what a peer's module does as a program."""
    job, path = (Path(one) for one in sys.argv[1:3])
    write_answer(path, asdict(solve(Job.read(job))))


def asked(python: Path, module: str, *arguments: str, seconds: float, folder: Path) -> Any:
    """What a module of this folder wrote, run by that interpreter; NotRun, with its last words, otherwise."""
    if not python.exists():
        return NotRun(f"there is no environment of the peers' packages at {python.parent.parent}")
    path = folder / f"{module}.json"
    command = [str(python), "-m", f"tests.benchmarks.peers.{module}", arguments[0], str(path), *arguments[1:]]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "FLWR_TELEMETRY_ENABLED": "0"}
    try:
        done = subprocess.run(
            command,
            cwd=_ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return NotRun(f"not done after {seconds:.0f} s")
    if done.returncode or not path.exists():
        words = (done.stderr or done.stdout).strip().splitlines() or [f"it ended with {done.returncode}"]
        return NotRun(words[-1][:_LAST_WORDS])
    return json.loads(path.read_bytes())
