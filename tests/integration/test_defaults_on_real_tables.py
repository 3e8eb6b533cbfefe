"""By the defaults alone, whoever is drawn: models of tables that packages ship, as good as pooled ridge.

In plaintext, so that every draw can be looked at: that the encrypted training ends with the same model is
shown elsewhere (`test_demo_defaults.py`, `test_demo.py`).
"""

from itertools import combinations

import numpy as np
import pytest

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.registry import kind_of
from protocol.learning.plaintext import OwnerData, mean_squared_error
from services.data.dealt_rows import data_sets_of
from services.data.predictions import open_rows, predict_rows
from services.data.sample_request import DemoOptions, demo_request, load_data
from services.data.samples import deal
from services.sandbox.report import same_in_plaintext
from tests.support.pooled_ridge import for_sklearn, pooled_ridge, taken
from tests.support.tables import cars, iris, weather, wine, write_columns

TABLES = {"weather": weather, "wine": wine, "iris": iris, "cars": cars}


def rounds_until_another_would_not_help(request, start, errors):
    """How many rounds the request's tolerance lets the training go on for."""
    before = [start, *errors[:-1]]
    gains = [(left - right) / left for left, right in zip(before, errors, strict=True)]
    tolerance = float(request.schedule.tolerance)
    return next((number for number, gain in enumerate(gains, 1) if gain < tolerance), len(errors))


def bought_model(request, trainers, validators):
    """The model that these trainers make and these validators measure."""
    twin = same_in_plaintext(request, trainers, validators, request.schedule.rounds)
    start = mean_squared_error(validators, twin.averaging.models[0])
    errors = [measured.after for measured in twin.metrics]
    rounds = rounds_until_another_would_not_help(request, start, errors)
    return BoughtModel.of(request, list(twin.averaging.models[rounds]))


@pytest.mark.parametrize("table", TABLES)
def test_every_draw_of_trainers_makes_a_model_as_good_as_pooled_ridge(table, tmp_path):
    columns = TABLES[table]()
    target, count = list(columns)[-1], len(next(iter(columns.values())))
    order = np.random.default_rng(11).permutation(count)
    held, given = taken(columns, order[: count // 5]), order[count // 5 :]
    options = DemoOptions(data=write_columns(tmp_path / "rows.csv", taken(columns, given)))
    rows = write_columns(tmp_path / "held out.csv", held)
    data = load_data(options)
    request = demo_request(options, data, "0x" + "0" * 40)
    statistics = [one.statistic for one in data_sets_of(data).values()]
    owners = [OwnerData(kind_of(request).measuring_factor(request, one), one.rows) for one in statistics]
    places = deal(given, options.owners, options.seed)

    for drawn in combinations(range(options.owners), 3):
        trainers = [owners[one] for one in drawn]
        validators = [owner for one, owner in enumerate(owners) if one not in drawn]
        model = bought_model(request, trainers, validators)
        bought = predict_rows(open_rows(model, rows), None)
        trained = taken(columns, np.concatenate([places[one] for one in drawn]))
        pooled = pooled_ridge(model.columns).fit(for_sklearn(model.columns, trained), trained[target])
        best = np.mean((pooled.predict(for_sklearn(model.columns, held)) - np.array(held[target])) ** 2)
        assert bought.rows == len(next(iter(held.values())))
        assert bought.mse < 1.02 * best, drawn
