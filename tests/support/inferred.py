"""Whole trainings in plaintext, ended by standard errors, and what pooled rows would have had for both."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from protocol.learning.descent import step_size_of
from protocol.learning.glm.fitting import with_fit
from protocol.learning.inference.estimates import (
    Coefficient,
    Inference,
    Validation,
    coefficients,
    infer,
    validation_rows,
)
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import kind_of
from protocol.learning.plaintext import OwnerData, run
from protocol.learning.statistic import Matrix, triangular
from protocol.request import Request
from tests.support.generalized import NAMES, statistic_of, table_of
from tests.support.hazards import statistic_of_hazards, table_of_hazards

CONVERGING = {"rounds": 2, "local_steps": 4000, "tolerance": 0}
"""A schedule after which the mean of local optima is reached."""


class Inferred(NamedTuple):
    """What a buyer would have of owners' rows of `generalized.NAMES`, or `hazards.NAMES`."""

    inference: Inference
    table: tuple[Coefficient, ...]


class _Owner(NamedTuple):
    """What an owner's rows give to training, measuring and inference."""

    training: OwnerData
    measuring: OwnerData
    information: Matrix


def _owner(request: Request, rows: Matrix) -> _Owner:
    kind = kind_of(request)
    if not kind.reads_rows:  # many data sets are drawn: their statistics for all requests would take long
        centers, halves = (np.array([float(one[at]) for one in request.scalings()]) for at in (0, 1))
        block = np.column_stack([(rows - centers) / halves, np.ones(len(rows))])[:, [0, 1, 3, 2]]
        factor = triangular(block) / np.sqrt(len(rows))
        return _Owner(OwnerData(factor, len(rows)), OwnerData(factor, len(rows)), factor[:-1, :-1])
    is_timed = bool(request.model.events)
    made, table = (statistic_of_hazards, table_of_hazards) if is_timed else (statistic_of, table_of)
    statistic = with_fit(request, made(rows), lambda: [table(rows)])
    factors = kind.training_factor(request, statistic), kind.measuring_factor(request, statistic)
    training, measuring = (OwnerData(factor, len(rows)) for factor in factors)
    return _Owner(training, measuring, kind.information_factor(request, statistic))


def inferred(request: Request, trainers: Sequence[Matrix], validators: Sequence[Matrix]) -> Inferred:
    """Train on plain numbers, and make the table of what is published and pooled."""
    unit = float(request.error_unit)
    own = [_owner(request, rows) for rows in trainers]
    measuring = [_owner(request, rows).measuring for rows in validators]
    training = run(
        [one.training for one in own],
        measuring,
        np.array([float(weight) for weight in request.start_weights()]),
        step_size=step_size_of(request),
        l2=float(request.model.ridges[0]),
        local_steps=request.schedule.local_steps,
        rounds=request.schedule.rounds,
    )
    errors = PublishedErrors(unit * training.metrics[0].start, unit * training.metrics[-1].after)
    pooled = sum(
        (one.training.rows * one.information.T @ one.information for one in own),
        np.zeros((request.estimated, request.estimated)),
    )
    counts = [one.rows for one in measuring]
    behind = Validation(errors, validation_rows(counts, counts))
    found = infer(request, pooled, [one.training.rows for one in own], behind)
    model = kind_of(request).bought(request, training.averaging.models[-1].tolist(), errors)
    return Inferred(found, coefficients(model, found))


def design(rows: Matrix) -> Matrix:
    """The features of `generalized.NAMES` and ones, m×3."""
    return np.column_stack([rows[:, : len(NAMES) - 1], np.ones(len(rows))])
