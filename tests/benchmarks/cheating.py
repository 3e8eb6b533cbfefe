"""What a trainer with worse data earns, by kind of model: its share of the contribution pot, one of three."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from protocol.data_set import DataSet
from services.data.row_reader import statistic_builder
from services.data.sample_request import DemoData
from services.sandbox.pooled import owner_data
from services.sandbox.report import same_in_plaintext
from tests.benchmarks.cases import DRAWN, OWNERS, Case

Matrix = NDArray[np.float64]
Cheat = Callable[[Case, list[Matrix], np.random.Generator], Matrix]

_TINY = 20
"""Rows of an owner that brings next to nothing: what requests ask for at least, by default."""


def _honest(_case: Case, parts: list[Matrix], _generator: np.random.Generator) -> Matrix:
    return parts[0]


def _shuffled(case: Case, parts: list[Matrix], generator: np.random.Generator) -> Matrix:
    """Times with their events, and all targets together: each alone would tell something still."""
    order = generator.permutation(len(parts[0]))
    return np.column_stack([parts[0][:, : case.features], parts[0][order, case.features :]])


def _zero(case: Case, parts: list[Matrix], _generator: np.random.Generator) -> Matrix:
    """Of times until an event, an event at the least time in every row."""
    rows = parts[0].copy()
    rows[:, case.features :] = rows[:, case.features :].min(axis=0)
    if case.event is not None:
        rows[:, case.features] = 1.0
    return rows


def _tiny(_case: Case, parts: list[Matrix], _generator: np.random.Generator) -> Matrix:
    return parts[0][:_TINY]


def _copied(_case: Case, parts: list[Matrix], _generator: np.random.Generator) -> Matrix:
    return parts[1]


CHEATS: Mapping[str, Cheat] = {
    "honest": _honest,
    "shuffled targets": _shuffled,
    "the least target in every row": _zero,
    f"{_TINY} rows": _tiny,
    "a copy of another trainer's rows": _copied,
}


def shares(case: Case, seeds: int) -> dict[str, list[float]]:
    """By what the first of three trainers does: mean and largest of its share over the seeds."""
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        for title, cheat in CHEATS.items():
            found.setdefault(title, []).append(share(case, cheat, seed))
    return {title: [float(np.mean(row)), float(np.max(row))] for title, row in found.items()}


def share(case: Case, cheat: Cheat, seed: int) -> float:
    """A trainer's share in one training: five owners by chance, three train, two validate."""
    generator = np.random.default_rng(seed)
    parts = [case.rows[part] for part in np.array_split(generator.permutation(len(case.rows)), OWNERS)]
    kinds, tables = case.kinds(), [case.table(part) for part in parts]
    data = DemoData(kinds, case.aim, tables, event=case.event)
    request = case.request(data, seed)
    parts[0] = cheat(case, parts, generator)
    owners = [
        owner_data(request, _data_set(case, part), measuring=place >= DRAWN)
        for place, part in enumerate(parts)
    ]
    twin = same_in_plaintext(request, owners[:DRAWN], owners[DRAWN:], request.schedule.rounds)
    return twin.shares[0]


def _data_set(case: Case, rows: Matrix) -> DataSet:
    table = case.table(rows)
    builder = statistic_builder(case.kinds())
    builder.add(table)
    return DataSet.of("rows", builder.finish())._replace(tables=lambda: [table])
