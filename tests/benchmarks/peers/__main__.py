"""`python -m tests.benchmarks.peers PYTHON [ckks]`: the same job by others, or what CKKS would cost and tell.

PYTHON is an interpreter with the group `peers` of pyproject.toml, which nothing else in the repository uses.
"""

import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from tests.benchmarks import machine
from tests.benchmarks.data import STEP_SIZE, thesis_split
from tests.benchmarks.peers import ckks_page, with_paillier
from tests.benchmarks.peers.answer import Answer, NotRun, asked
from tests.benchmarks.peers.job import Job, Owner
from tests.benchmarks.peers.sizes import SIZES, MapFigures, job_of
from tests.benchmarks.peers.table import Answered, job_line, machine_line, table, versions
from tests.benchmarks.peers.ways import LONGEST_SECONDS, Ask, Way, linear_algebra, whole_job

PEERS = Path(__file__).parents[1] / "PEERS.md"
ROUNDS, LOCAL_STEPS = 20, 5
MAP_RUNS = 3

_HEAD = """\
# The same job by others

Written by `make bench-peers`, in one run on one machine, one way after the other. Linear regression on the
diabetes data as the 2019 thesis split it: {job}.

Seconds are of the job after programs are loaded, keys included, the processors' of all processes; DeltaML's
begin with the process. *Distance* is the largest difference of a weight to the same computation in plain
numbers; scikit-learn's to numpy's least squares, the others' to the same steps. *Error* is the mean squared
one over the rows that nobody trained on. Ways with other guarantees run no race: what a way hides and checks
stands beside its time.

{machine}; {versions}.

"""

_ALGEBRA = """\
Each owner's steps of a round as one map θ ← Mθ + v on a hidden model. By encryption the sum over the owners
is opened after each round by whoever has the key, and hidden anew."""


def diabetes_job(rounds: int = ROUNDS) -> Job:
    """The thesis' split of the diabetes data."""
    split = thesis_split()
    trainers, validators = ([Owner(*rows) for rows in part] for part in split)
    return Job(trainers, validators, rounds, LOCAL_STEPS, STEP_SIZE)


def answered(console: Console, ways: list[Way]) -> Answered:
    """All, one after the other, so that none shares the cores with another."""
    found = []
    for way in ways:
        with console.status(way.title):
            found.append((way, way.answer()))
        console.print(way.title, _heard(found[-1][1]))
    return found


def compare(console: Console, ask: Ask, out: Path) -> None:
    """Write both tables."""
    described = machine.describe()
    whole, algebra = (answered(console, ways) for ways in (whole_job(ask), linear_algebra(ask)))
    head = _HEAD.format(
        job=job_line(ask.job), machine=machine_line(described), versions=versions([*whole, *algebra])
    )
    parts = [
        "## From rows to weights",
        "",
        *table(ask.job, whole),
        "",
        "## The linear algebra alone",
        "",
        _ALGEBRA,
        "",
        *table(ask.job, algebra),
    ]
    out.write_text(head + "\n".join(parts) + "\n", encoding="utf-8")


def ckks(ask: Ask, page: Path) -> None:
    """Renew the page's figures; raises RuntimeError where the peers' environment lacks what it takes."""
    described = machine.describe()
    ask.job.write(ask.folder / "job.npz")
    costs, leaks = (
        asked(ask.python, module, str(ask.folder / "job.npz"), seconds=LONGEST_SECONDS, folder=ask.folder)
        for module in ("ckks_figures", "ckks_leaks")
    )
    if reasons := [found.reason for found in (costs, leaks) if isinstance(found, NotRun)]:
        raise RuntimeError(f"not run: {reasons[0]}")
    ours = {size: with_paillier.figures(job_of(size), key_bits=ask.key_bits, runs=MAP_RUNS) for size in SIZES}
    theirs = {size: MapFigures(**costs[str(size)]) for size in SIZES}
    text = ckks_page.figures(described, ours, theirs, leaks)
    page.write_text(ckks_page.renewed(page.read_text(encoding="utf-8"), text), encoding="utf-8")


def main(
    python: Annotated[Path, typer.Argument(help="The interpreter with the peers' packages.")],
    part: Annotated[Literal["jobs", "ckks"], typer.Argument(help="What to measure.")] = "jobs",
    key_bits: Annotated[int, typer.Option(min=1024, help="Paillier keys.")] = 3072,
    iterations: Annotated[int, typer.Option(min=2, help="Steps of the thesis' way to time.")] = 4,
) -> None:
    """Measure, and write PEERS.md or the figures of protocol/CKKS.md."""
    with tempfile.TemporaryDirectory() as folder:
        ask = Ask(diabetes_job(), thesis_split(), python.absolute(), Path(folder), key_bits, iterations)
        if part == "ckks":
            ckks(ask, ckks_page.PAGE)
        else:
            compare(Console(), ask, PEERS)


def _heard(given: Answer | NotRun) -> str:
    if isinstance(given, NotRun):
        return f"not run: {given.reason}"
    return f"{given.wall_seconds:.1f} s, {given.processor_seconds:.1f} of a processor"


if __name__ == "__main__":
    typer.run(main)
