"""What CKKS maps cost by size: `python -m … JOB ANSWER` in the peers' environment; the job is not used."""

import sys
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import tenseal

from tests.benchmarks.peers.answer import write_answer
from tests.benchmarks.peers.job import Job
from tests.benchmarks.peers.parameters import context
from tests.benchmarks.peers.sizes import SIZES, MapFigures, job_of
from tests.benchmarks.peers.with_tenseal import mapped

RUNS = 3


def figures(buyer: tenseal.Context, job: Job, runs: int = RUNS) -> MapFigures:
    """Of the first trainer's map on a random model."""
    one = job.map_of(0)
    weights = np.random.default_rng(7).uniform(-100, 100, job.parameters)
    model, seconds = tenseal.ckks_vector(buyer, weights), []
    for _ in range(runs):
        started = process_time()
        update = mapped(buyer, model, one)
        seconds.append(process_time() - started)
    error = np.abs(np.array(update.decrypt()) - one.matrix @ weights - one.vector).max()
    sizes = [len(one.serialize()) for one in (model, update)]
    return MapFigures(1e3 * median(seconds), *sizes, _rotation_bytes(buyer), float(error))


def _rotation_bytes(buyer: tenseal.Context) -> int:
    parts = {"save_public_key": False, "save_secret_key": False, "save_relin_keys": False}
    with_keys, without = (len(buyer.serialize(save_galois_keys=keys, **parts)) for keys in (True, False))
    return with_keys - without


if __name__ == "__main__":
    _buyer = context()
    write_answer(Path(sys.argv[2]), {str(size): figures(_buyer, job_of(size))._asdict() for size in SIZES})
