"""Rows to try things with.

`diabetes.csv` holds the diabetes data of Efron, Hastie, Johnstone and Tibshirani, "Least Angle Regression"
(Annals of Statistics, 2004): ten measurements of 442 patients and, a year later, the disease's progression.
It is scikit-learn's copy, under the BSD licence (copyright the scikit-learn developers).
"""

from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from protocol.learning.statistic import Matrix
from services.common.errors import DataSetError

Rows = TypeVar("Rows", Matrix, NDArray[np.int64])
"""Rows, or their places in a table."""

_DIABETES = Path(__file__).with_name("diabetes.csv")


def diabetes() -> tuple[tuple[str, ...], Matrix]:
    """(columns, rows) of the diabetes data, 442×11.

    The ten features are centred with unit norm, as `sklearn.datasets.load_diabetes` gives them; the last
    column, "target", is the disease's progression, 25 to 346.
    """
    with _DIABETES.open() as file:
        columns = tuple(file.readline().strip().split(","))
        rows = np.loadtxt(file, delimiter=",")
    centred = rows[:, :-1] - rows[:, :-1].mean(axis=0)
    return columns, np.column_stack([centred / np.sqrt((centred**2).sum(axis=0)), rows[:, -1]])


def deal(rows: Rows, owners: int, seed: int) -> list[Rows]:
    """Shuffle m rows by `seed` and deal them in parts that differ by one row at most.

    Raises DataSetError when an owner would get none.
    """
    if not 1 <= owners <= len(rows):
        raise DataSetError(f"{len(rows)} rows cannot be dealt to {owners} owners; each needs one at least")
    order = np.random.default_rng(seed).permutation(len(rows))
    return [rows[part] for part in np.array_split(order, owners)]
