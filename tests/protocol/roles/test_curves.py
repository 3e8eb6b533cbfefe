"""Curves through the whole checked protocol, against the same schedule in plaintext."""

from typing import Any

import numpy as np
import pytest

from protocol.learning.glm.fitting import with_fit
from protocol.learning.statistic import Statistic
from protocol.roles.dispatch import ROLES
from tests.support.roles.plain_market import bought_weights, delivered_round, plain_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import COLUMNS, small_data, small_request

BASIS: tuple[dict[str, Any], ...] = (
    {"kind": "spline", "column": "x0", "knots": [0]},
    {"kind": "interaction", "columns": ["x0", "x1"]},
)


def curved_market(*, read: bool = True) -> PureMarket:
    """One round, by a key in which three slots of products find room."""
    rows = small_data(rows=30)
    schedule = {"rounds": 1, "local_steps": 40, "tolerance": 0}
    request = small_request(schedule=schedule, basis=list(BASIS), key_bits=1152)
    market = PureMarket(request, rows, COLUMNS, validators=[2, 3], roles=ROLES)
    for owner, own in zip(market.owners, rows, strict=True):
        table = dict(zip(COLUMNS, own.T, strict=True))
        statistic = Statistic.from_bytes(owner.private["data_set:rows"])
        if read:
            statistic = with_fit(market.request, statistic, lambda table=table: [table])  # type: ignore[misc]
        owner.private["data_set:rows"] = statistic.to_bytes()
    market.start()
    return market


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
