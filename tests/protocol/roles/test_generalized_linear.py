"""Generalized linear models through the whole encrypted protocol, against the same schedule in plaintext."""

from collections.abc import Sequence

import pytest

from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import kind_of
from protocol.links import FITTED
from protocol.records import FIXED_POINT
from tests.support.roles.generalized_market import ROUNDS, generalized_market
from tests.support.roles.plain_market import delivered_round, plain_twin


@pytest.mark.parametrize(
    ("kind", "l2"), [*((kind, ["0.001"]) for kind in FITTED), ("logistic_regression", ["0.1", "0.001"])]
)
def test_the_bought_model_is_that_of_the_same_schedule_in_plaintext(kind: str, l2: Sequence[str]) -> None:
    ridges = {"l2": l2 if len(l2) > 1 else l2[0], "schedule": {**ROUNDS, "rounds": len(l2)}}
    market = generalized_market(kind, **ridges)
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    twin, rounds, model = plain_twin(market), delivered_round(market), market.bought()
    weights, errors = twin.averaging.models[rounds].tolist(), PublishedErrors(1.0, 1.0)
    expected = kind_of(market.request).bought(market.request, weights, errors)
    found, wanted = ([*one.weights, one.intercept] for one in (model, expected))
    assert (model.kind, found) == (kind, pytest.approx(wanted, rel=1e-6))
    unit = float(market.request.error_unit)
    published = unit * market.contract.recorded[rounds - 1].mse_after / FIXED_POINT
    assert published == pytest.approx(unit * twin.metrics[rounds - 1].after, abs=1e-3)


def test_nothing_is_committed_to_without_a_fit() -> None:
    market = generalized_market("logistic_regression", fitted=False)
    market.run()
    assert {owner.shown for owner in market.owners} == {"FAILED(data_set_gone)"}
    told = [fact.data["reasons"] for owner in market.owners for fact in owner.facts]
    assert told == [["its rows could not be read again as they were added: add the file again"]] * 4
