"""Jobs of other sizes than the diabetes data's, and what one map of such a size costs."""

from typing import NamedTuple

import numpy as np

from tests.benchmarks.peers.job import Job, Owner

SIZES = (11, 31, 101)
"""Parameters p."""
_OWNERS, _ROWS = 3, 400


class MapFigures(NamedTuple):
    """One map: processor milliseconds; bytes of model, result and keys for rotations; largest error."""

    milliseconds: float
    model_bytes: int
    result_bytes: int
    rotation_bytes: int
    error: float


def job_of(parameters: int) -> Job:
    """Random rows about a line, the same whenever asked for; no validators."""
    chance = np.random.default_rng(parameters)
    owners = []
    for _ in range(_OWNERS):
        features = np.column_stack([chance.uniform(-1, 1, (_ROWS, parameters - 1)), np.ones(_ROWS)])
        owners.append(Owner(features, features @ chance.uniform(-50, 50, parameters)))
    return Job(owners, [], rounds=1, local_steps=5, step_size=0.2)
