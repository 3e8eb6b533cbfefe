"""Several targets, and several classes, as one encrypted training, against the same schedule in plaintext."""

from typing import Any

import pytest

from tests.support.roles.kind_markets import in_plaintext, recorded, several_market
from tests.support.several import CLASSES, TARGETS


@pytest.mark.parametrize(
    "content",
    [TARGETS, CLASSES],
    ids=["targets", "classes"],
)
def test_the_bought_model_is_that_of_the_same_schedule_in_plaintext(content: dict[str, Any]) -> None:
    market = several_market(content)
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    model, (expected, errors) = market.bought(), in_plaintext(market)
    assert recorded(market).delivered == pytest.approx(errors.delivered, abs=1e-6)
    assert model.kind == content["model"]["kind"]
    assert [one.label for one in model.outputs] == [one.label for one in expected.outputs]
    for found, wanted in zip(model.outputs, expected.outputs, strict=True):
        assert found.intercept == pytest.approx(wanted.intercept, rel=1e-6)
        assert found.weights == pytest.approx(wanted.weights, rel=1e-6)
