"""From a table of numbers to a model by the defaults alone: as good as pooled ridge, and ended in good time.

`make campaigns` runs these, and tables with texts, gaps and dates in `default_columns.py`; in `make test`
such columns are in tests/deltaml/test_simulation.py.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from protocol.learning.kinds.registry import KINDS
from protocol.request_schedule import Schedule
from services.data.model_file import read_model
from services.data.samples import deal
from services.sandbox.demo import run_demo
from tests.integration.default_columns import OPTIONS, rows_of
from tests.support.tables import HOUSES, houses, write_csv


def diabetes_as_measured():
    """(names, rows) in years, millimetres of mercury and milligrams a decilitre."""
    data = load_diabetes(scaled=False)
    return (*data.feature_names, "progression"), np.column_stack([data.data, data.target])


TABLES = {"diabetes": diabetes_as_measured(), "houses": (HOUSES, houses())}


def ended_when_another_round_would_not_help(report):
    """Only a gain below the tolerance ends a training early, and a round that got worse has none."""
    before, after = np.array(report.mse_by_round[:-1]), np.array(report.mse_by_round[1:])
    gains = (before - after) / before
    goes_on = (gains >= float(Schedule().tolerance)) | (gains < 0)
    return goes_on[:-1].all() and (not goes_on[-1] or report.rounds == Schedule().rounds)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_as_it_is_trains_a_model_as_good_as_pooled_ridge(table, tmp_path):
    names, rows = TABLES[table]
    order = np.random.default_rng(11).permutation(len(rows))
    held_out, given = rows[order[: len(rows) // 5]], rows[order[len(rows) // 5 :]]
    data = write_csv(tmp_path / "rows.csv", names, given)
    report = run_demo(
        replace(OPTIONS, data=data, model_out=tmp_path / "model.json"), lambda _text, _event: None
    )
    model = read_model(tmp_path / "model.json")
    bought = np.mean((KINDS[model.kind].predict(model, held_out[:, :-1]) - held_out[:, -1]) ** 2)

    trained = rows_of("trainer", report, deal(given, OPTIONS.owners, OPTIONS.seed))
    scaler = StandardScaler().fit(trained[:, :-1])
    pooled = Ridge(alpha=1.0).fit(scaler.transform(trained[:, :-1]), trained[:, -1])
    best = np.mean((pooled.predict(scaler.transform(held_out[:, :-1])) - held_out[:, -1]) ** 2)
    assert bought < 1.02 * best
    assert ended_when_another_round_would_not_help(report)
    assert report.mse_final < 1.02 * report.mse_pooled_ols
    assert report.mse_final == pytest.approx(report.mse_plaintext_same_schedule, rel=1e-5)
    scale = max(map(abs, json.loads((tmp_path / "model.json").read_text())["weights"]))
    assert report.weights_max_abs_error < 1e-8 * scale
