"""A binary classification through the whole encrypted protocol, against the same schedule in plaintext."""

import numpy as np
import pytest

from protocol.requirements import mismatches
from tests.support.roles.kind_markets import (
    all_weights,
    classified,
    classifying_market,
    in_plaintext,
    recorded,
)
from tests.support.roles.pure_party import make_data_set, make_statistic
from tests.support.roles.small_markets import COLUMNS, small_data


def test_the_bought_probabilities_are_those_of_the_same_schedule_in_plaintext() -> None:
    market = classifying_market()
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    model, (expected, errors) = market.bought(), in_plaintext(market)
    assert model.kind == "binary_classification"
    assert all_weights(model) == pytest.approx(all_weights(expected), rel=1e-6)

    truths = np.concatenate([classified(rows)[:, 2] for rows in small_data(rows=30)[2:]])
    published = recorded(market)
    assert published.start == pytest.approx(np.mean((0.4 - truths) ** 2), abs=1e-6)
    assert published.delivered == pytest.approx(errors.delivered, abs=1e-6)


def test_an_owner_whose_target_has_other_values_takes_no_part() -> None:
    """Its rows would be trained on as if they were classes, and its errors paid for as Brier scores."""
    rows = classified(small_data()[0])
    wanted = classifying_market().request
    assert mismatches(wanted, make_data_set(make_statistic(COLUMNS, rows)).card) == ()
    rows[0, 2] = 0.5
    [reason] = mismatches(wanted, make_data_set(make_statistic(COLUMNS, rows)).card)
    assert "column 'y' holds numbers; yes and no asked" in str(reason)
