from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from services.common.errors import DataSetError
from services.data.samples import deal, diabetes
from tests.support.thesis.thesis_split import thesis_split


def test_the_diabetes_data_end_with_the_target():
    columns, rows = diabetes()
    assert columns == ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "target")
    assert rows.shape == (442, 11)
    assert (rows[:, -1].min(), rows[:, -1].max()) == (25, 346)
    assert np.allclose(np.linalg.norm(rows[:, :-1], axis=0), 1)


def test_the_rows_are_exactly_those_of_scikit_learn():
    folder = Path(sklearn.__file__).parent / "datasets" / "data"
    raw = np.loadtxt(folder / "diabetes_data_raw.csv.gz")
    centred = raw - raw.mean(axis=0)
    rows = diabetes()[1]
    assert np.array_equal(rows[:, :-1], centred / np.sqrt((centred**2).sum(axis=0)))
    assert np.array_equal(rows[:, -1], np.loadtxt(folder / "diabetes_target.csv.gz"))
    loaded = load_diabetes()
    assert diabetes()[0] == (*loaded.feature_names, "target")
    assert np.allclose(rows[:, :-1], loaded.data, rtol=0, atol=1e-16)


def test_dealing_keeps_every_row_once_and_follows_the_seed():
    rows = np.arange(442.0)[:, None]
    parts = deal(rows, 5, seed=39)
    assert [len(part) for part in parts] == [89, 89, 88, 88, 88]
    assert sorted(np.concatenate(parts)[:, 0]) == list(range(442))
    assert all(map(np.array_equal, parts, deal(rows, 5, seed=39)))
    assert not np.array_equal(parts[0], deal(rows, 5, seed=40)[0])
    for owners in (0, 443):
        with pytest.raises(DataSetError, match="each needs one at least"):
            deal(rows, owners, seed=39)


def test_the_thesis_split_gives_the_thesis_figures():
    """100 iterations of step 1.5 from zero: the thesis reports 3311.84, and 3167.81 for least squares."""
    rows = diabetes()[1]
    trainers, validators = thesis_split(rows)
    assert [len(part) for part in (*trainers, *validators)] == [103, 103, 103, 67, 66]
    sklearn_split = train_test_split(rows, test_size=0.3, random_state=39)
    assert np.array_equal(np.concatenate(trainers), sklearn_split[0])
    assert np.array_equal(np.concatenate(validators), sklearn_split[1])

    def with_ones(part):
        return np.column_stack([part[:, :-1], np.ones(len(part))]), part[:, -1]

    held_out, truth = with_ones(np.concatenate(validators))
    weights = np.zeros(11)
    for _ in range(100):
        steps = [(x, y, x.T @ (x @ weights - y) / len(y)) for x, y in map(with_ones, trainers)]
        weights = np.mean([weights - 1.5 * gradient for _, _, gradient in steps], axis=0)
    least_squares = np.linalg.lstsq(*with_ones(np.concatenate(trainers)))[0]
    assert np.mean((held_out @ weights - truth) ** 2) == pytest.approx(3326, abs=1)
    assert np.mean((held_out @ least_squares - truth) ** 2) == pytest.approx(3169, abs=1)
