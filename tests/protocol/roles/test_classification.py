"""A binary classification through the whole encrypted protocol, against the same schedule in plaintext."""

from typing import Any

import numpy as np
import pytest

from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import kind_of
from protocol.records import FIXED_POINT
from protocol.requirements import mismatches
from tests.support.roles.plain_market import delivered_round, plain_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import make_data_set, make_statistic
from tests.support.roles.small_markets import COLUMNS, small_data, small_market, small_request


def classified(rows: np.ndarray) -> np.ndarray:
    """The same features with a target of 0 and 1."""
    return np.column_stack([rows[:, :2], (rows[:, 2] > 12).astype(float)])


def classifying_market(**changes: Any) -> PureMarket:
    request = small_request(
        model={"kind": "binary_classification", "l2": "0.001"},
        target={"name": "y", "kind": "boolean"},
        start={"start": "mean", "value": "0.4"},
        schedule={"rounds": 3, "local_steps": 40, "tolerance": 0},
        **changes,
    )
    return small_market(request, [classified(rows) for rows in small_data(rows=30)], validators=[2, 3])


def test_the_bought_probabilities_are_those_of_the_same_schedule_in_plaintext() -> None:
    market = classifying_market()
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    request, rounds = market.request, delivered_round(market)
    twin = plain_twin(market)
    recorded, unit = market.contract.recorded, float(request.error_unit) / FIXED_POINT
    published = PublishedErrors(recorded[0].record.mse_before * unit, recorded[rounds - 1].mse_after * unit)
    expected = kind_of(request).bought(request, twin.averaging.models[rounds].tolist(), published)
    model = market.bought()
    assert model.kind == "binary_classification"
    found, wanted = ([*one.weights, one.intercept] for one in (model, expected))
    assert found == pytest.approx(wanted, rel=1e-6)

    truths = np.concatenate([classified(rows)[:, 2] for rows in small_data(rows=30)[2:]])
    assert published.start == pytest.approx(np.mean((0.4 - truths) ** 2), abs=1e-6)
    brier = float(request.error_unit) * twin.metrics[rounds - 1].after
    assert published.delivered == pytest.approx(brier, abs=1e-6)


def test_an_owner_whose_target_has_other_values_takes_no_part() -> None:
    """Its rows would be trained on as if they were classes, and its errors paid for as Brier scores."""
    rows = classified(small_data()[0])
    wanted = classifying_market().request
    assert mismatches(wanted, make_data_set(make_statistic(COLUMNS, rows)).card) == ()
    rows[0, 2] = 0.5
    [reason] = mismatches(wanted, make_data_set(make_statistic(COLUMNS, rows)).card)
    assert "column 'y' holds numbers; yes and no asked" in str(reason)
