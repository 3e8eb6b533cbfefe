"""What no buyer can have the aggregator take on."""

from typing import Any

import pytest

from protocol.bond_policy import BondPolicy
from protocol.codec import pack
from protocol.crypto.paillier import generate_private_key
from protocol.crypto.validation import prove_key
from protocol.request_parsing import parse_request
from protocol.roles.engine.inputs import EventConfirmed, MessageReceived
from tests.support.roles.aggregator_attack import Asked, asked, refuses
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import (
    altered,
    body_of,
    paid_under,
    refusal,
    resigned,
    small_market,
    small_request,
)


def requested(**changes: Any) -> PureMarket:
    """A market whose buyer sent its request with these changes."""
    market, message = asked("training_request")
    market.deliver(market.aggregator, MessageReceived(signed=altered(market, message, **changes)))
    return market


def assert_refused(market: PureMarket, code: str) -> None:
    [answer] = market.sent("request_answer")
    assert (body_of(answer).accepted, body_of(answer).code) == (False, code)
    assert market.aggregator.shown == f"FAILED({code})"
    assert not market.sent("invitation")
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == f"FAILED({code})"


def test_a_request_other_than_the_one_on_chain() -> None:
    market, message = asked("training_request")
    values = {**small_request(payment={"deposit_wei": "1"}), "aggregator": market.aggregator.address}
    cheap = altered(market, message, request=parse_request(values))
    market.deliver(market.aggregator, MessageReceived(signed=cheap))
    assert_refused(market, "terms_differ")


@pytest.mark.parametrize(("most", "takes_it_on"), [(None, False), (99, False), (100, True)])
def test_a_bond_that_the_aggregator_does_not_deposit(most: int | None, takes_it_on: bool) -> None:
    bonds = {"aggregator": 100, "forfeit_to": "0x" + "33" * 20}
    market = small_market(small_request(payment={"deposit_wei": str(10**18), "bonds": bonds}))
    market.aggregator.policy = b"" if most is None else pack(BondPolicy(most_bond_wei=most))
    market.run()
    if takes_it_on:
        assert body_of(market.sent("request_answer")[0]).accepted
    else:
        assert_refused(market, "bond_not_accepted")


def test_a_key_other_than_the_one_paid_for() -> None:
    own = generate_private_key(512)
    market = requested(public_key=int(own.public_key.n), key_proof=tuple(prove_key(own)))
    assert_refused(market, "terms_differ")


@pytest.fixture(scope="module")
def request_asked() -> Asked:
    return asked("training_request")


def test_keys_that_are_none(request_asked: Asked) -> None:
    body = body_of(request_asked[1])
    n = int(body.public_key)
    for other in (n + 2, n << 1):
        paid_under(request_asked[0], request_asked[0].aggregator, other)
        assert refuses(request_asked, public_key=other) == "bad_key"
    paid_under(request_asked[0], request_asked[0].aggregator, n)
    assert refuses(request_asked, key_proof=()) == "bad_key"
    assert refuses(request_asked, key_proof=tuple(prove_key(generate_private_key(512)))) == "bad_key"


def test_a_request_of_someone_else(request_asked: Asked) -> None:
    market, message = request_asked
    forged = resigned(market, message, sender=market.owners[0].address)
    assert refusal(market, market.aggregator, forged) == "wrong_sender"


def test_a_request_before_the_opening_is_confirmed_is_held() -> None:
    """Anyone could send one for the next training's number and so have the true one refused."""
    market = small_market()
    aggregator = market.aggregator
    [opened] = [item for address, item in market.pending if address == aggregator.address]
    assert isinstance(opened, EventConfirmed)
    market.pending = [entry for entry in market.pending if entry[0] != aggregator.address]
    message = market.run_until("training_request")
    forged = resigned(market, message, sender=market.owners[0].address)
    for early in (forged, message):
        step = market.deliver(aggregator, MessageReceived(signed=early))
        assert step is not None
        assert {effect.effect for effect in step.effects} <= {"timer", "blob"}
    market.deliver(aggregator, opened)
    assert [violation.code for violation in aggregator.violations] == ["wrong_sender"]
    market.finish()
    assert market.buyer.shown == "FINISHED"
