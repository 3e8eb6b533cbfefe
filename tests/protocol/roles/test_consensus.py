"""Consensus ADMM through the whole encrypted protocol, against the same schedule in plaintext."""

from typing import Any

import numpy as np
import pytest

from tests.support.roles.plain_market import assert_model_of_twin, bought_weights, plain_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import small_data, small_market, small_request


def consensus_market(rounds: int = 4, *, owners: int = 5, **changes: Any) -> PureMarket:
    request = small_request(
        schedule={"rounds": rounds, "tolerance": 0, "deliver": "last", "method": "admm", "rho": "0.05"},
        **changes,
    )
    return small_market(request, small_data(owners=owners, rows=30), validators=[owners - 2, owners - 1])


def test_the_bought_model_is_that_of_the_same_schedule_in_plaintext() -> None:
    market = consensus_market()
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    assert len(market.contract.recorded) == 4
    assert_model_of_twin(market)
    twin = plain_twin(market).averaging.models[-1]
    assert bought_weights(market) == pytest.approx(np.asarray(twin), rel=1e-6)
