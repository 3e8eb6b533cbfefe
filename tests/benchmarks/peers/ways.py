"""The ways that are compared: what each hides from whom, what it checks, and how it is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tests.benchmarks import ours, thesis
from tests.benchmarks.data import Split
from tests.benchmarks.peers import with_paillier
from tests.benchmarks.peers.answer import Answer, NotRun, Stopwatch, answer, asked
from tests.benchmarks.peers.job import Job

LONGEST_SECONDS = 1800.0
"""After so long a peer is given up."""
NOTHING = "nothing"
ALONE = "while the buyer colludes with nobody"


@dataclass(frozen=True)
class Way:
    """`ask` answers or raises; `title`, `hides` and `checks` are cells of a table."""

    title: str
    hides: str
    checks: str
    ask: Callable[[], Answer | NotRun]

    def answer(self) -> Answer | NotRun:
        """What `ask` says; why not, where it fails."""
        try:
            return self.ask()
        except Exception as error:  # noqa: BLE001  a peer's failure is a row of the table
            return NotRun(f"{type(error).__name__}: {error}")


@dataclass(frozen=True)
class Ask:
    """The job, where peers find it and their interpreter, and what this repository's ways need beside it."""

    job: Job
    split: Split
    python: Path
    folder: Path
    key_bits: int
    iterations: int

    def peer(self, module: str, *arguments: str) -> Answer | NotRun:
        """A peer's answer, from a process of its own."""
        path = self.folder / "job.npz"
        self.job.write(path)
        given = asked(self.python, module, str(path), *arguments, seconds=LONGEST_SECONDS, folder=self.folder)
        return given if isinstance(given, NotRun) else Answer(**given)

    def deltaml(self) -> Answer:
        """The whole product, in the demo's process and its workers."""
        found = ours.measure(
            key_bits=self.key_bits, rounds=self.job.rounds, local_steps=self.job.local_steps, thesis=True
        )
        return Answer(
            None,
            found.seconds_total,
            found.processor_seconds,
            distance=found.weights_max_abs_error,
            error=found.mse_final,
            note=f"{self.key_bits} bits, {found.bytes_on_bus / 1e6:.1f} MB sent; start of the process, bus, "
            "chain and contract included; the contract draws who trains, and so whose rows measure",
        )

    def thesis(self) -> Answer:
        """The 2019 way, which averages after every step; timed for some steps and scaled to all."""
        found = thesis.measure(self.split, key_bits=self.key_bits, iterations=self.iterations)
        return Answer(
            None,
            found.seconds_total,
            found.processor_seconds_total,
            distance=found.weights_max_abs_error,
            note=f"{self.key_bits} bits, {found.bytes_on_bus / 1e6:.1f} MB sent; {found.iterations} rounds "
            f"of one step, scaled from {found.iterations_timed}",
        )

    def plain(self) -> Answer:
        """The maps in numpy."""
        clock, maps = Stopwatch(), self.job.maps()
        with clock.running():
            weights = self.job.start()
            for _ in range(self.job.rounds):
                weights = np.mean([one.matrix @ weights + one.vector for one in maps], axis=0)
        return answer(weights, clock)


def whole_job(ask: Ask) -> list[Way]:
    """Training from rows to weights."""
    return [
        Way(
            "the 2019 thesis' way, on phe",
            f"rows from all but their owner; the model from owners and aggregator, {ALONE}. "
            "The buyer sees each model, unpaid, and the residual of each row",
            NOTHING,
            ask.thesis,
        ),
        Way(
            "DeltaML",
            "rows and local models from all but their owner; the model from owners and aggregator, "
            f"and from the buyer until the contract has paid, {ALONE}",
            "every update and error is proven, members verify sums and openings, the contract pays by them",
            ask.deltaml,
        ),
        Way(
            "Flower, FedAvg",
            "rows from all but their owner. The server sees each local model, owners each mean",
            NOTHING,
            partial(ask.peer, "with_flower"),
        ),
        Way(
            "Flower, SecAgg+",
            "rows and local models from all but their owner, while the server follows the protocol and fewer "
            "than two of three owners collude with it. Server and owners see each mean",
            "nothing of what an owner sends; owners may fall silent",
            partial(ask.peer, "with_flower", "--secure"),
        ),
        Way(
            "MPyC, sums",
            "rows and local models from all but their owner, while no two of three parties "
            "collude. All see each mean",
            f"{NOTHING}: parties follow the protocol",
            partial(ask.peer, "with_mpyc", "-M3"),
        ),
        Way("scikit-learn, pooled rows", NOTHING, NOTHING, partial(ask.peer, "with_sklearn")),
    ]


def linear_algebra(ask: Ask) -> list[Way]:
    """The same rounds, each owner's steps as one map on a model that it does not see."""
    buyer_sees = f"the model from owners and aggregator, maps from all, {ALONE}. The buyer sees each mean"
    return [
        Way(
            "phe's encrypted numbers",
            buyer_sees,
            NOTHING,
            partial(with_paillier.solve_by_phe, ask.job, key_bits=ask.key_bits),
        ),
        Way(
            "DeltaML's arithmetic",
            buyer_sees,
            f"{NOTHING} without the proofs, which are in the whole job",
            partial(with_paillier.solve, ask.job, key_bits=ask.key_bits),
        ),
        Way(
            "TenSEAL, CKKS",
            f"{buyer_sees}, and [something of the maps](../../protocol/CKKS.md)",
            NOTHING,
            partial(ask.peer, "with_tenseal"),
        ),
        Way(
            "MPyC, maps and models shared",
            "maps and models from all until the last is opened, while no two of three parties collude",
            f"{NOTHING}: parties follow the protocol",
            partial(ask.peer, "with_mpyc", "--maps", "-M3"),
        ),
        Way("numpy", NOTHING, NOTHING, ask.plain),
    ]
