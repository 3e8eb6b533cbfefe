"""A whole market whose rounds are checked: it finishes, and publishes what numpy computes in the open."""

import numpy as np
import pytest

from protocol.types import seats_of
from tests.support.roles.checked_markets import checked_market
from tests.support.roles.plain_market import bought_weights, delivered_round, plain_twin
from tests.support.roles.pure_contract import recorded_errors
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import body_of, small_data

VALIDATORS = (3, 4)


@pytest.fixture(scope="module")
def market() -> PureMarket:
    data = [rows[: 12 - owner] for owner, rows in enumerate(small_data(owners=5))]
    market = checked_market(VALIDATORS, data=data)
    market.finish()
    return market


def test_three_rounds_are_recorded_and_the_training_is_settled(market):
    assert market.contract.status == "settled"
    assert [event.round for event in market.contract.recorded] == [1, 2, 3]
    assert [party.phase for party in (market.buyer, market.aggregator)] == ["finished", "done"]
    assert {owner.phase for owner in market.owners} == {"finished"}


def test_nobody_is_refused_anything_and_nobody_is_left_out(market):
    assert not [violation for party in market.parties.values() for violation in party.violations]
    assert not market.sent("participant_dropped")


def test_the_public_numbers_are_those_of_the_plain_training(market):
    twin = plain_twin(market)
    for (start, after, own, cross), plain in zip(recorded_errors(market.contract), twin.metrics, strict=True):
        assert start == pytest.approx(plain.start, abs=2e-6)
        assert after == pytest.approx(plain.after, abs=2e-6)
        assert own == pytest.approx(plain.own, abs=2e-6)
        assert cross == pytest.approx(plain.cross, abs=2e-6)


def test_contributions_are_those_of_the_plain_training(market):
    for event, plain in zip(market.contract.recorded, plain_twin(market).contributions, strict=True):
        assert [value / 10**18 for value in event.shapley] == pytest.approx(plain, abs=4e-6)


def test_the_delivered_model_is_that_of_the_plain_training(market):
    twin = plain_twin(market, delivered_round(market)).averaging.models[-1]
    assert bought_weights(market) == pytest.approx(twin, abs=1e-8 * np.abs(twin).max())


def test_a_record_names_trainers_and_validators_that_were_drawn(market):
    for event in market.contract.recorded:
        assert list(seats_of(event.record.trainers)) == [0, 1, 2]
        assert tuple(seats_of(event.record.validators)) == VALIDATORS


def test_masks_and_updates_never_reach_the_buyer(market):
    """It is shown digests, masked numbers, and one product under noise a round."""
    kinds = {one.envelope.type for one in market.wire if one.envelope.recipient == market.buyer.address}
    assert not kinds & {"round_evidence", "proven_update", "proven_metric", "shown_metrics", "ring_shared"}


def test_a_seed_is_shown_to_the_next_maker_alone(market):
    for purpose in ("next model", "metric"):
        for round_number in (1, 2, 3):
            shown = [
                message.envelope.recipient
                for message in market.sent("ring_shared")
                if message.envelope.round == round_number
                and body_of(message).purpose == purpose
                and body_of(message).seed is not None
            ]
            assert len(shown) == len(set(shown)) == 3
