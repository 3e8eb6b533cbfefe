"""What a training would deliver, in plaintext by its very steps, out of rows that are dealt to owners."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import kind_of
from protocol.learning.plaintext import OwnerData
from protocol.request import Request
from services.data.dealt_rows import data_sets_of
from services.data.sample_request import DemoData
from services.sandbox.pooled import fitted, owner_data
from services.sandbox.report import same_in_plaintext
from tests.benchmarks.cases import DRAWN, OWNERS, Case

Matrix = NDArray[np.float64]


def places_of(rows: int, seed: int) -> list[NDArray[np.int64]]:
    """Which of so many rows each owner gets."""
    return np.array_split(np.random.default_rng(seed).permutation(rows), OWNERS)


def bought(request: Request, trainers: Sequence[OwnerData], validators: Sequence[OwnerData]) -> BoughtModel:
    """What these owners would deliver in the request's most rounds: the best round's model."""
    twin = same_in_plaintext(request, trainers, validators, request.schedule.rounds)
    errors = [measured.after for measured in twin.metrics]
    best, unit = int(np.argmin(errors)), float(request.error_unit)
    published = PublishedErrors(unit * twin.metrics[0].start, unit * errors[best])
    return kind_of(request).bought(request, twin.averaging.models[best + 1].tolist(), published)


def delivered(case: Case, given: Matrix, seed: int) -> tuple[BoughtModel, BoughtModel]:
    """The models when some of the owners of `given` train for the others, and when all train and measure."""
    parts = [case.table(given[part]) for part in places_of(len(given), seed)]
    data = DemoData(case.kinds(), case.aim, parts, event=case.event)
    request = case.request(data, seed)
    data_sets = [fitted(request, one) for one in data_sets_of(data).values()]
    training, measuring = (
        [owner_data(request, one, measuring=measures) for one in data_sets] for measures in (False, True)
    )
    some = bought(request, training[:DRAWN], measuring[DRAWN:])
    return some, bought(request, training, measuring)


TRAINED = (
    (DRAWN, f"{DRAWN} of {OWNERS} owners train"),
    (OWNERS, f"all {OWNERS} train, measured on their own rows"),
)
"""What `delivered` gives: how many owners trained each, and a title."""
