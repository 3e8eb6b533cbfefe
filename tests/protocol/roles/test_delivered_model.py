"""Which model a training delivers when rounds make it worse: the best recorded one, or the last, as asked."""

import numpy as np
import pytest

from tests.support.roles.plain_market import assert_model_of_twin, delivered_round
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import small_data, small_market, small_request, without


def misled_market(deliver: str) -> PureMarket:
    """Trainers whose rows lead away from a start that suits the validators: every round is worse."""
    data = small_data()
    for rows in data[2:]:
        rows[:, 2] = np.clip(rows[:, :2] @ [-6.0, 4.0] + 12, -100, 100)
    request = small_request(
        schedule={
            "rounds": 3,
            "local_steps": 2,
            "step_size": "0.05",
            "tolerance": "0.01",
            "deliver": deliver,
        },
        start={"start": "weights", "weights": ["-4", "3", "12"]},
    )
    return small_market(request, data, validators=[2, 3])


@pytest.mark.parametrize(("deliver", "expected"), [("best", 1), ("last", 3)])
def test_rounds_that_make_it_worse_end_nothing_and_the_model_asked_for_is_delivered(
    deliver: str, expected: int
) -> None:
    market = misled_market(deliver)
    market.finish()
    errors = [event.mse_after for event in market.contract.recorded]
    assert len(errors) == 3
    assert errors == sorted(errors)
    assert delivered_round(market) == expected
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    assert_model_of_twin(market)


def test_a_validator_has_the_best_model_where_the_aggregator_delivers_none() -> None:
    market = misled_market("best")
    market.intercept = without("trained_model", sender=market.aggregator)
    market.finish()
    assert {message.envelope.sender for message in market.sent("trained_model")} > {market.aggregator.address}
    assert_model_of_twin(market)
