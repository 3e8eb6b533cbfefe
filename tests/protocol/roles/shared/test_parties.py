"""Whole trainings over pure roles, against the same training in plain numbers."""

import os
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes

from protocol.roles import dispatch
from tests.support.roles.phases import finished_market
from tests.support.roles.plain_market import bought_weights, plain_twin
from tests.support.roles.pure_contract import recorded_errors
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import ONE_ROUND, body_of, shuffling, small_market, small_request

MANY = "DELTAML_HYPOTHESIS_EXAMPLES" in os.environ
"""As in `make campaigns`."""

NOISE = 2e-6
"""More than what is added to a published error, in units of the target's range, squared."""

ORDERS = (0, 10, 11, 19, 23)
"""Seeds of orders in which, after an early end, each kind of late message comes to each role that gets it."""


def assert_matches_twin(market: PureMarket) -> None:
    """Weights, and errors but for the noise that is added to them."""
    assert market.contract.status == "settled"
    twin = plain_twin(market)
    assert bought_weights(market) == pytest.approx(twin.averaging.models[-1], abs=1e-6)
    for measured, plain in zip(recorded_errors(market.contract), twin.metrics, strict=True):
        before, after, own, cross = measured
        assert before == pytest.approx(plain.start, abs=NOISE)
        assert after == pytest.approx(plain.after, abs=NOISE)
        assert own == pytest.approx(plain.own, abs=NOISE)
        assert cross == pytest.approx(plain.cross, abs=NOISE)


def test_noise_hides_the_low_bits_of_every_published_error() -> None:
    market = finished_market()
    twin = plain_twin(market)
    for (_, _, own, cross), plain in zip(recorded_errors(market.contract), twin.metrics, strict=True):
        for published, exact in zip((*own, *cross), (*plain.own, *plain.cross), strict=True):
            assert abs(published - exact) > 1e-9 * abs(exact)


def diabetes_market() -> PureMarket:
    data = load_diabetes(scaled=False)
    features = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    rows = np.column_stack([features, data.target])
    names = [*data.feature_names, "progression"]
    request = small_request(
        features=[{"name": name, "minimum": -6, "maximum": 6} for name in data.feature_names],
        target={"name": "progression", "minimum": 25, "maximum": 346},
        schedule={"rounds": 1, "local_steps": 20, "step_size": "0.1"},
        start={"start": "mean", "value": 150},
        model={"l2": "0.01"},
    )
    return PureMarket(request, np.array_split(rows[:200], 5), names)


def test_diabetes_from_the_mean_with_ridge() -> None:
    market = diabetes_market()
    market.start()
    market.finish()
    assert_matches_twin(market)


@settings(max_examples=100 if MANY else 4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), often=st.sampled_from([0.0, 0.2, 0.5]))
def test_order_and_repetition_of_deliveries_change_nothing(seed: int, often: float) -> None:
    random = Random(seed)
    request = small_request(schedule=ONE_ROUND)
    market = small_market(
        request, choose=shuffling(seed), duplicate=lambda: random.random() < often, seed=seed
    )
    market.finish()
    assert market.buyer.shown == "FINISHED"
    assert_matches_twin(market)


def test_an_early_stop_delivers_the_model_of_the_last_recorded_round() -> None:
    schedule = {"rounds": 12, "local_steps": 3, "step_size": "0.5", "tolerance": "0.1"}
    market = small_market(small_request(schedule=schedule))
    market.finish()
    recorded = len(market.contract.recorded)
    assert 1 < recorded < 12
    gains = [(before - after) / before for before, after, _, _ in recorded_errors(market.contract)]
    assert all(gain >= 0.1 for gain in gains[:-1])
    assert gains[-1] < 0.1
    # The round trained ahead is thrown away.
    assert max(message.envelope.round for message in market.sent("proven_update")) == recorded + 1
    assert_matches_twin(market)


@pytest.mark.parametrize("seed", range(100) if MANY else ORDERS)
def test_what_was_on_its_way_at_an_early_end_is_nobodys_fault(seed: int) -> None:
    """Answers for the round trained ahead may come after the last record is signed."""
    schedule = {"rounds": 3, "local_steps": 1, "step_size": "0.05", "tolerance": "0.5"}
    market = small_market(small_request(schedule=schedule), choose=shuffling(seed), seed=seed)
    market.finish()
    assert len(market.contract.recorded) == 1
    assert not [v for party in market.parties.values() for v in party.violations]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"intercept": False}},
        {"start": {"start": "weights", "weights": ["5", "-3.5", "10"]}},
        {"schedule": {"rounds": 1, "local_steps": 50, "step_size": "0.01"}},
    ],
    ids=["no intercept", "from weights", "one round"],
)
def test_kinds_of_request(changes: dict[str, Any]) -> None:
    market = small_market(small_request(**changes))
    market.finish()
    assert_matches_twin(market)


def test_the_start_is_measured_in_the_first_round_only() -> None:
    measured = {(one.envelope.round, body_of(one).start) for one in finished_market().sent("round_evidence")}
    assert measured == {(1, "public"), (2, "unmeasured")}


def test_everybody_is_told_the_public_numbers_of_every_round() -> None:
    market = finished_market()
    told = market.sent("round_completed")
    everybody = {market.buyer.address, *market.contract.seats}
    for event in market.contract.recorded:
        of_round = [message for message in told if message.envelope.round == event.round]
        assert {message.envelope.recipient for message in of_round} == everybody
        for message in of_round:
            body = body_of(message)
            assert (body.v0, body.mse_after) == (event.record.mse_before, event.mse_after)
            assert [one.shapley for one in body.contributions] == list(event.shapley)
            assert [one.pay_weight for one in body.contributions] == list(event.pay_weights)


def test_training_runs_one_round_ahead_of_measuring() -> None:
    order = [(m.envelope.type, m.envelope.round) for m in finished_market().wire]
    assert order.index(("encrypted_model", 2)) < order.index(("metric_opening_request", 1))
    assert order.index(("round_signature", 1)) < order.index(("round_evidence", 2))


def test_steps_depend_on_their_inputs_alone() -> None:
    again = small_market(run_step=dispatch.run_step)
    again.finish()
    assert [m.digest() for m in again.wire] == [m.digest() for m in finished_market().wire]
