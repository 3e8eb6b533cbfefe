"""From a table to a model by the defaults alone: as good as pooled ridge, with nothing scaled by hand."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from protocol.learning.kinds.registry import KINDS
from protocol.request_sections import Schedule
from services.data.model_file import read_model
from services.data.predictions import open_rows, predict_rows
from services.data.sample_request import DemoOptions
from services.data.samples import deal
from services.sandbox.demo import run_demo
from tests.support.pooled_ridge import for_sklearn, pooled_ridge, taken
from tests.support.tables import HOUSES, cars, houses, mixed_houses, write_columns, write_csv

OPTIONS = DemoOptions(key_bits=1024, workers=0)


def diabetes_as_measured():
    """(names, rows) in years, millimetres of mercury and milligrams a decilitre."""
    data = load_diabetes(scaled=False)
    return (*data.feature_names, "progression"), np.column_stack([data.data, data.target])


EVERY_TABLE = "DELTAML_ALL_TABLES" in os.environ
"""As `make campaigns` asks; `make test` has one table of numbers, and one with texts, gaps and dates."""
TABLES = {"diabetes": diabetes_as_measured(), **({"houses": (HOUSES, houses())} if EVERY_TABLE else {})}


def rows_of(role, report, parts):
    """The rows of all owners that were drawn for a role; validators' rows train nothing."""
    return np.concatenate(
        [part for part, drawn in zip(parts, report.roles.values(), strict=True) if drawn == role]
    )


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


MIXED = {"cars": cars(), **({"mixed houses": mixed_houses(3000)} if EVERY_TABLE else {})}


@pytest.mark.parametrize("table", MIXED)
def test_texts_gaps_and_dates_as_they_are_train_a_model_as_good_as_pooled_ridge(table, tmp_path):
    """The tables are dealt by the seed; what is asserted holds for every draw of three trainers of five."""
    columns = MIXED[table]
    target, count = list(columns)[-1], len(next(iter(columns.values())))
    order = np.random.default_rng(11).permutation(count)
    held_out, given = order[: count // 5], order[count // 5 :]
    data = write_columns(tmp_path / "rows.csv", taken(columns, given))
    report = run_demo(
        replace(OPTIONS, data=data, model_out=tmp_path / "model.json"), lambda _text, _event: None
    )
    rows = write_columns(tmp_path / "held out.csv", taken(columns, held_out))
    bought = predict_rows(open_rows(read_model(tmp_path / "model.json"), rows), None)

    model = read_model(tmp_path / "model.json")
    trained = taken(columns, rows_of("trainer", report, deal(given, OPTIONS.owners, OPTIONS.seed)))
    pooled = pooled_ridge(model.columns).fit(for_sklearn(model.columns, trained), trained[target])
    held = taken(columns, held_out)
    best = np.mean((pooled.predict(for_sklearn(model.columns, held)) - np.array(held[target])) ** 2)
    assert bought.rows == len(held_out)
    assert bought.mse < 1.02 * best
    assert report.mse_final == pytest.approx(report.mse_plaintext_same_schedule, rel=1e-5)
