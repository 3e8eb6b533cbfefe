"""Curves read of rows against numpy's least squares, and what an owner without its rows may not do."""

import numpy as np
import pytest

from protocol.errors import MisuseError
from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.tables import Table, rows_of
from tests.support.curved import FEATURES, curved_request, curved_rows

KINDS_READ = {
    one["name"]: {"date": "date", "categorical": "text"}.get(one.get("kind", ""), "number")
    for one in FEATURES
}


def statistic_of(rows: Table) -> Statistic:
    builder = StatisticBuilder({**KINDS_READ, "y": "number"}, logs=True)
    builder.add(rows)
    return builder.finish()


def test_the_factor_is_that_of_the_rows_functions_in_the_request_s_scale():
    request, rows = curved_request(), curved_rows(200)
    batches = [rows_of(rows, slice(0, 150)), rows_of(rows, slice(150, None))]
    statistic = with_fit(request, statistic_of(rows), lambda: batches)
    factor = kind_of(request).measuring_factor(request, statistic)
    assert kind_of(request).training_factor(request, statistic) is factor
    weights = np.random.default_rng(3).normal(size=request.parameters)
    model = kind_of(request).bought(request, weights.tolist(), None)
    predicted = KINDS[model.kind].predict(model, model.design(rows))
    expected = np.mean((predicted - rows["y"]) ** 2) / float(request.error_unit)
    assert np.sum((factor @ [*weights, -1]) ** 2) == pytest.approx(expected, rel=1e-10)


def test_without_curves_it_is_the_statistic_s_own():
    rows = curved_rows(200)
    request = curved_request(basis=[])
    plain = kind_of(request).measuring_factor(request, statistic_of(rows))
    read = with_fit(request, statistic_of(rows), lambda: [rows]).fitted
    assert read is not None
    np.testing.assert_allclose(read.training.T @ read.training, plain.T @ plain, atol=1e-9)


def test_rows_that_were_not_read_are_not_trained_on():
    request = curved_request()
    assert kind_of(request).reads_rows
    assert not kind_of(curved_request(basis=[])).reads_rows
    with pytest.raises(MisuseError, match="read them again"):
        kind_of(request).measuring_factor(request, statistic_of(curved_rows(50)))


def test_no_rows_are_refused():
    with pytest.raises(MisuseError, match="there are 0 rows now"):
        with_fit(curved_request(), statistic_of(curved_rows(50)), list)
