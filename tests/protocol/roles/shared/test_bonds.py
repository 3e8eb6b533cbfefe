"""Bonds in whole trainings: who deposits what when, who loses it, and that all of it is somebody's."""

import pytest

from protocol.marketplace import Cancel, Close, ReleaseBond
from protocol.roles.engine.private import BOND
from protocol.terms import NATIVE
from tests.support.roles.bonded import AGGREGATOR, BUYER, FORFEIT, OWNER, bonded_market
from tests.support.roles.pure_contract import Refused
from tests.support.roles.pure_market import PureMarket


def noted(market: PureMarket) -> dict[str, bytes]:
    """What each party's daemon is to see to."""
    return {
        address: party.values[BOND.name_of(1)]
        for address, party in market.parties.items()
        if BOND.name_of(1) in party.values
    }


def test_everybody_deposits_what_is_asked_and_has_it_back_after_the_end() -> None:
    market = bonded_market()
    market.finish()
    assert market.buyer.shown == "FINISHED"
    contract = market.contract
    asked = {market.buyer.address: BUYER, market.aggregator.address: AGGREGATOR}
    asked |= {owner.address: OWNER for owner in market.owners}
    assert dict(contract.bonds.held) == asked
    assert noted(market) == dict.fromkeys(asked, NATIVE.encode())
    assert contract.ledger.total == 10**18, "no bond is taken for the deposit"
    contract.now = contract.ended_at
    with pytest.raises(Refused, match="too_early"):
        contract.apply(market.buyer.address, ReleaseBond(training=1))
    contract.now += contract.opened.terms.round_seconds // 4
    for account in asked:
        contract.apply(account, ReleaseBond(training=1))
    assert dict(contract.bonds.credits) == asked


@pytest.mark.parametrize("role", ["owner", "aggregator"])
def test_a_store_from_before_the_deposit_learns_of_the_bond_from_the_chain(role: str) -> None:
    market = bonded_market()
    party = market.owners[0] if role == "owner" else market.aggregator
    while BOND.name_of(1) not in party.values:
        market.deliver_next()
    del party.values[BOND.name_of(1)]
    market.finish()
    assert party.address in noted(market)


@pytest.mark.parametrize("asked", [{"owner": 0}, {"aggregator": 0}, {"buyer": 0}])
def test_nobody_deposits_what_is_not_asked(asked: dict[str, int]) -> None:
    market = bonded_market(**asked)
    market.finish()
    assert market.buyer.shown == "FINISHED"
    assert market.contract.bonds.held.total() == sum({**ALL, **asked}.values()) + 4 * asked.get(
        "owner", OWNER
    )
    assert set(noted(market)) == {account for account, bond in market.contract.bonds.held.items() if bond}


ALL = {"owner": OWNER, "aggregator": AGGREGATOR, "buyer": BUYER}


def test_an_owner_that_does_not_confirm_its_seat_loses_its_bond() -> None:
    market = bonded_market()
    late = market.owners[0]
    while market.contract.status != "drawing":
        market.deliver_next()
    market.silent.add(late.address)
    market.pending = [one for one in market.pending if one[0] != late.address]
    market.finish()
    [lost] = market.contract.bonds.lost
    assert (lost.account, lost.fault, lost.amount) == (late.address, "no_reveal", OWNER)
    assert market.contract.bonds.credits[FORFEIT] == OWNER


def test_where_the_aggregator_alone_may_close_owners_have_the_training_cancelled() -> None:
    market = bonded_market()
    while len(market.contract.seats) < 5:
        market.deliver_next()
    market.silent |= {market.aggregator.address, market.buyer.address}
    market.pending = [one for one in market.pending if one[0] not in market.silent]
    market.finish()
    assert market.contract.status == "cancelled"
    assert not market.contract.bonds.lost
    calls = {name for sender, name in market.contract.calls if sender not in market.silent}
    assert "cancel" in calls
    assert "close" not in calls


def test_an_aggregator_that_gives_up_deposits_nothing_to_end_it() -> None:
    market = bonded_market()
    while len(market.contract.seats) < 4:
        market.deliver_next()
    with pytest.raises(Refused, match="not_party"):
        market.contract.apply(market.owners[0].address, Close(training=1))
    with pytest.raises(Refused, match="wrong_value"):
        market.contract.apply(market.aggregator.address, Close(training=1))
    market.contract.apply(market.buyer.address, Cancel(training=1))
    assert market.contract.bonds.held[market.aggregator.address] == 0
