"""Rows to try things with."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from protocol.learning.statistic import Matrix
from services.common.errors import DataSetError

_THESIS_SEED = 39


_DIABETES_FEATURES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")


def diabetes() -> tuple[tuple[str, ...], Matrix]:
    """The diabetes data (Efron, Hastie, Johnstone, Tibshirani, "Least Angle Regression", 2004), 442×11.

    The ten features are centred with unit norm, as `sklearn.datasets.load_diabetes` gives them; the last
    column, "target", is the disease's progression, 25 to 346. Read from its files without importing
    scikit-learn: that takes longer than a small training.
    """
    package = find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise DataSetError("the diabetes data come with scikit-learn, which is not installed")
    folder = Path(package.submodule_search_locations[0]) / "datasets" / "data"
    raw = np.loadtxt(folder / "diabetes_data_raw.csv.gz")
    centred = raw - raw.mean(axis=0)
    features = centred / np.sqrt((centred**2).sum(axis=0))
    return (*_DIABETES_FEATURES, "target"), np.column_stack(
        [features, np.loadtxt(folder / "diabetes_target.csv.gz")]
    )


def deal(rows: Matrix, owners: int, seed: int) -> list[Matrix]:
    """Shuffle m×k rows by `seed` and deal them in parts that differ by one row at most."""
    _enough(rows, owners)
    order = np.random.default_rng(seed).permutation(len(rows))
    return [rows[part] for part in np.array_split(order, owners)]


def thesis_split(
    rows: Matrix, trainers: int = 3, validators: int = 2, seed: int = _THESIS_SEED
) -> tuple[list[Matrix], list[Matrix]]:
    """(trainers' rows, validators' rows): 70 % and 30 % of m×k rows, each dealt evenly, as in the thesis.

    The rows held out are those of scikit-learn's `train_test_split(test_size=0.3, random_state=seed)`.
    """
    _enough(rows, trainers + validators)
    order = np.random.RandomState(seed).permutation(len(rows))
    held_out = -(-3 * len(rows) // 10)
    taught = [rows[part] for part in np.array_split(order[held_out:], trainers)]
    return taught, [rows[part] for part in np.array_split(order[:held_out], validators)]


def _enough(rows: Matrix, owners: int) -> None:
    if not 1 <= owners <= len(rows):
        raise DataSetError(f"{len(rows)} rows cannot be dealt to {owners} owners; each needs one at least")
