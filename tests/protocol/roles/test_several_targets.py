"""Several targets, and several classes, as one encrypted training, against the same schedule in plaintext."""

from typing import Any

import numpy as np
import pytest

from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import kind_of
from protocol.records import FIXED_POINT
from protocol.roles.dispatch import ROLES
from tests.support.roles.plain_market import delivered_round, plain_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import make_data_set, owning
from tests.support.roles.small_markets import small_request
from tests.support.several import CLASSES, TARGETS, document_of, some_table, statistic_of

ROUNDS = {"rounds": 1, "local_steps": 40, "tolerance": 0}


def several_market(content: dict[str, Any]) -> PureMarket:
    request = small_request(**document_of(content, schedule=ROUNDS))
    tables = [some_table(seed) for seed in range(4)]
    market = PureMarket(request, [np.ones((2, 1))] * 4, ["none"], validators=[2, 3], roles=ROLES)
    for owner, table in zip(market.owners, tables, strict=True):
        owner.private.update(owning(make_data_set(statistic_of(table))))
    market.start()
    return market


@pytest.mark.parametrize(
    "content",
    [TARGETS, CLASSES],
    ids=["targets", "classes"],
)
def test_the_bought_model_is_that_of_the_same_schedule_in_plaintext(content: dict[str, Any]) -> None:
    market = several_market(content)
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    request, rounds = market.request, delivered_round(market)
    twin = plain_twin(market)
    recorded, unit = market.contract.recorded, float(request.error_unit) / FIXED_POINT
    published = PublishedErrors(recorded[0].record.mse_before * unit, recorded[rounds - 1].mse_after * unit)
    error = float(request.error_unit) * twin.metrics[rounds - 1].after
    assert published.delivered == pytest.approx(error, abs=1e-6)
    expected = kind_of(request).bought(request, twin.averaging.models[rounds].tolist(), published)
    model = market.bought()
    assert model.kind == content["model"]["kind"]
    assert [one.label for one in model.outputs] == [one.label for one in expected.outputs]
    for found, wanted in zip(model.outputs, expected.outputs, strict=True):
        assert found.intercept == pytest.approx(wanted.intercept, rel=1e-6)
        assert found.weights == pytest.approx(wanted.weights, rel=1e-6)
