"""Checked trainings whose messages overtake each other and come again: they end as they should."""

from random import Random

import pytest

from protocol.roles.engine.effects import ReportViolation
from tests.support.roles.checked_markets import ROLES, checked_request
from tests.support.roles.plain_market import plain_twin
from tests.support.roles.pure_contract import recorded_errors
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import shuffling, small_data, small_market

ORDERS = 10

SAID_AGAIN = ("_twice", "already_started", "already_opened", "_out_of_order")
"""What a party says of a message that comes again, which the daemon's inbox would have dropped."""


def shuffled(seed: int, repeated: float) -> PureMarket:
    """A training of three rounds in an order of its own, some messages delivered twice."""
    again = Random(seed)
    market = small_market(
        checked_request(),
        small_data(owners=5),
        validators=[2, 3, 4],
        roles=ROLES,
        choose=shuffling(seed),
        duplicate=lambda: again.random() < repeated,
    )
    market.finish()
    return market


def assert_trained(market: PureMarket) -> None:
    assert market.contract.status == "settled"
    assert market.buyer.shown == "FINISHED"
    assert [event.round for event in market.contract.recorded] == [1, 2, 3]
    assert not market.sent("participant_dropped")
    metrics = plain_twin(market).metrics
    for (start, after, own, cross), plain in zip(recorded_errors(market.contract), metrics, strict=True):
        assert (start, after) == pytest.approx((plain.start, plain.after), abs=2e-6)
        assert own == pytest.approx(plain.own, abs=2e-6)
        assert cross == pytest.approx(plain.cross, abs=2e-6)


def violations(market: PureMarket) -> list[ReportViolation]:
    return [one for party in market.parties.values() for one in party.violations]


@pytest.mark.parametrize("seed", range(ORDERS))
def test_messages_may_overtake_each_other(seed: int) -> None:
    market = shuffled(seed, repeated=0.0)
    assert_trained(market)
    assert not violations(market)


@pytest.mark.parametrize("seed", range(100, 100 + ORDERS))
def test_messages_may_come_again(seed: int) -> None:
    """Nobody answers a second time with other randomness, and nobody is left out for it."""
    market = shuffled(seed, repeated=0.05)
    assert_trained(market)
    assert violations(market)
    assert all(one.code.endswith(SAID_AGAIN) for one in violations(market))
    for kind in ("moment_answer", "projection_answer", "proven_update", "proven_metric"):
        told = [(m.envelope.sender, m.envelope.recipient, m.envelope.round) for m in market.sent(kind)]
        assert len(told) == len(set(told))
