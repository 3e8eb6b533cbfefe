"""From a table to a model by the defaults alone: as good as pooled ridge, with nothing scaled by hand.

Part of `make campaigns`; tables of numbers alone are in default_tables.py.
"""

from dataclasses import replace

import numpy as np
import pytest

from services.data.model_file import read_model
from services.data.predictions import open_rows, predict_rows
from services.data.sample_request import DemoOptions
from services.data.samples import deal
from services.sandbox.demo import run_demo
from tests.support.pooled_ridge import for_sklearn, pooled_ridge, taken
from tests.support.tables import cars, mixed_houses, write_columns

OPTIONS = DemoOptions(key_bits=1024, workers=0)


def rows_of(role, report, parts):
    """The rows of all owners that were drawn for a role; validators' rows train nothing."""
    return np.concatenate(
        [part for part, drawn in zip(parts, report.roles.values(), strict=True) if drawn == role]
    )


MIXED = {"cars": cars(), "mixed houses": mixed_houses(3000)}


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
