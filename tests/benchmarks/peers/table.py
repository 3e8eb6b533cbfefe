"""Tables of what the ways answered, in Markdown."""

from collections.abc import Sequence

import numpy as np

from tests.benchmarks.machine import MachineReport
from tests.benchmarks.peers.answer import Answer, NotRun
from tests.benchmarks.peers.job import Job
from tests.benchmarks.peers.ways import Way

Answered = Sequence[tuple[Way, Answer | NotRun]]

HEADS = (
    "way",
    "wall s",
    "processor s",
    "distance",
    "error",
    "hides",
    "checks",
    "how",
)
NONE = "–"


def table(job: Job, answered: Answered) -> list[str]:
    """A line for each way; what has not run says why."""
    return [
        f"| {' | '.join(HEADS)} |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- | --- |",
        *(f"| {' | '.join(_cells(job, way, given))} |" for way, given in answered),
    ]


def versions(answered: Answered) -> str:
    """Of all packages that answered, each once."""
    found = {
        name: one
        for _, given in answered
        if isinstance(given, Answer)
        for name, one in given.versions.items()
    }
    return ", ".join(f"{name} {one}" for name, one in sorted(found.items()))


def machine_line(machine: MachineReport) -> str:
    """What it ran on, and how busy that was."""
    return (
        f"{machine.processor}, {machine.cores} cores, for which {machine.load_before:.1f} processes waited "
        f"when it began; Python {machine.python}, gmpy2 {machine.gmpy2} ({machine.gmp}), "
        f"phe {machine.phe}, numpy {machine.numpy}"
    )


def job_line(job: Job) -> str:
    """The size of the job in words."""
    trained, held = (sum(len(one.target) for one in part) for part in (job.trainers, job.validators))
    return (
        f"{len(job.trainers)} owners train on {trained} rows and {len(job.validators)} measure on {held}; "
        f"{job.parameters} parameters; {job.rounds} rounds of {job.local_steps} steps of {job.step_size} "
        "from zeros, with the mean of the local models after each round"
    )


def _cells(job: Job, way: Way, given: Answer | NotRun) -> list[str]:
    if isinstance(given, NotRun):
        return [way.title, *[NONE] * 4, way.hides, way.checks, f"not run: {_flat(given.reason)}"]
    distance, error = given.distance, given.error
    if given.weights is not None:
        weights = np.array(given.weights)
        distance = float(np.abs(weights - job.exact()).max()) if distance is None else distance
        error = job.error(weights)
    return [
        way.title,
        _seconds(given.wall_seconds),
        _seconds(given.processor_seconds),
        NONE if distance is None else f"{distance:.0e}",
        NONE if error is None else f"{error:.1f}",
        way.hides,
        way.checks,
        _flat(given.note) or NONE,
    ]


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f}" if seconds >= 1 else f"{seconds:.3f}"


def _flat(text: str) -> str:
    """One line that no cell ends in."""
    return " ".join(text.split()).replace("|", "\\|")
