"""Curves through the whole checked protocol, against the same schedule in plaintext."""

import numpy as np
import pytest

from tests.support.roles.kind_markets import curved_market
from tests.support.roles.plain_market import bought_weights, delivered_round, plain_twin


def test_the_bought_curve_is_that_of_the_same_schedule_in_plaintext() -> None:
    market = curved_market()
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    twin = plain_twin(market, delivered_round(market)).averaging.models[-1]
    assert bought_weights(market) == pytest.approx(twin, abs=1e-6)
    assert np.abs(twin[2:4]).min() > 1e-3
    model = market.bought()
    assert model.features == ("x0", "x1", "spline(x0) 1", "x0 × x1")
    assert model.basis == market.request.basis


def test_owners_whose_rows_could_not_be_read_commit_to_nothing() -> None:
    market = curved_market(read=False)
    market.run()
    assert {owner.shown for owner in market.owners} == {"FAILED(data_set_gone)"}
