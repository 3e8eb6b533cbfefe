"""MPyC: three processes on loopback that share secrets by Shamir's scheme, any two of which see nothing.

Run with `-M3`: MPyC starts the other two. With `--maps` models and maps stay shared throughout; without, each
party shares its local model of a round, and all see the sums.
"""

import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from mpyc.runtime import mpc

from tests.benchmarks.peers.answer import Answer, Stopwatch, answer, write_answer
from tests.benchmarks.peers.job import Job, Matrix

BITS, FRACTION_BITS = 96, 48
"""Of a fixed-point number in all, and behind the point."""


async def solve(job: Job, *, maps: bool) -> Answer:
    """Called in every party's process; all get the answer."""
    if len(mpc.parties) != len(job.trainers):
        raise ValueError(f"{len(mpc.parties)} parties; expected one for each of {len(job.trainers)} trainers")
    number, clock = mpc.SecFxp(BITS, FRACTION_BITS), Stopwatch()
    await mpc.start()
    with clock.running():
        weights = await (_by_maps if maps else _by_sums)(job, number)
    spent = sum(await mpc.transfer(clock.processor))
    others = (party.protocol for party in mpc.parties if party.pid != mpc.pid)
    sent = sum(await mpc.transfer(sum(one.nbytes_sent for one in others)))
    await mpc.shutdown()
    made = answer(weights, clock, "mpyc", note=f"{sent / 1e6:.2f} MB sent, {len(mpc.parties)} processes")
    return Answer(**{**vars(made), "processor_seconds": spent})


async def _by_sums(job: Job, number: type) -> Matrix:
    weights = job.start()
    for _ in range(job.rounds):
        shared = mpc.input(number.array(job.local(mpc.pid, weights)))
        weights = np.asarray(await mpc.output(_sum(shared)), dtype=np.float64) / len(shared)
    return weights


async def _by_maps(job: Job, number: type) -> Matrix:
    """Each party shares its map once, over the number of trainers, so that the mean is a sum."""
    own, trainers = job.map_of(mpc.pid), len(job.trainers)
    matrices = mpc.input(number.array(own.matrix / trainers))
    vectors = mpc.input(number.array(own.vector / trainers))
    weights = mpc.input(number.array(job.start()), senders=0)
    for _ in range(job.rounds):
        parts = [matrix @ weights + vector for matrix, vector in zip(matrices, vectors, strict=True)]
        weights = _sum(parts)
    return np.asarray(await mpc.output(weights), dtype=np.float64)


def _sum(parts):
    return sum(parts[1:], start=parts[0])


if __name__ == "__main__":
    _job, _path = (Path(one) for one in sys.argv[1:3])
    _answer = mpc.run(solve(Job.read(_job), maps="--maps" in sys.argv))
    if mpc.pid == 0:
        write_answer(_path, asdict(_answer))
