"""What is on offer, and which owners a request would reach."""

from decimal import Decimal

import pytest

from protocol.data_card import CardColumn
from protocol.messages.examples import any_request
from services.records.market_offers import columns_of, listed_by, match
from tests.support.daemons.offers import OWNERS, OfferMarket, card


@pytest.fixture
def market():
    made = OfferMarket()
    yield made
    made.close()


def listed(market):
    return listed_by(market.store, (market.hub.address,))


def test_cards_are_listed_by_owner_and_name_each_once(market):
    market.announce(OWNERS[1], card("b"), card("a"))
    market.announce(OWNERS[0], card("c"))
    market.ask()
    twice = listed_by(market.store, (market.hub.address, market.hub.address))
    assert twice == listed(market)
    assert [(one.owner, one.card.name) for one in twice] == [
        (OWNERS[0], "c"),
        (OWNERS[1], "a"),
        (OWNERS[1], "b"),
    ]
    assert twice[0].hash == card("c").hash()
    assert listed_by(market.store, (OWNERS[0],)) == ()


def test_columns_of_a_name_kind_and_unit_are_one_over_all_owners(market):
    sex = CardColumn(name="sex", kind="categorical", vocabulary=("f", "m"))
    other = CardColumn(name="sex", kind="categorical", vocabulary=("m", "x"))
    age = CardColumn(name="age", unit="months", minimum=Decimal(200), maximum=Decimal(900))
    market.announce(OWNERS[0], card("one", columns=(*card().columns, sex)), card("two"))
    market.announce(OWNERS[1], card("three", columns=(age, other), rows_from=64))
    market.ask()
    found = {(one.name, one.unit): one for one in columns_of(listed(market))}
    assert next(iter(found)) == ("sex", "")
    assert found["sex", ""].levels == ("f", "m", "x")
    assert (found["sex", ""].owners, found["sex", ""].rows_from) == (2, 256 + 64)
    years, months = found["age", "years"], found["age", "months"]
    assert (years.owners, years.data_sets, years.minimum, years.maximum) == (1, 2, 18, 90)
    assert (months.data_sets, months.minimum, months.maximum) == (1, 200, 900)


def test_a_request_reaches_each_owner_whose_card_serves_it_once_and_says_why_not_the_others(market):
    dear, short = card("dear", least_pay_wei=10**18), card("short", columns=card().columns[:2])
    for owner in OWNERS[:3]:
        market.announce(owner, card("one"), card("two"))
    market.announce(OWNERS[3], dear, short)
    market.announce(OWNERS[4])
    market.ask()
    found = match(any_request(), market.store, (market.hub.address,))
    assert (found.owners, found.reached, found.is_enough) == (5, OWNERS[:3], False)
    reasons = {one.listed.card.name: one.reasons for one in found.cards if one.listed.owner == OWNERS[3]}
    assert "its card asks for" in reasons["dear"][0]
    assert reasons["short"] == ("no column 'progression'",)
    market.announce(OWNERS[3], card("cheap"))
    market.ask()
    assert match(any_request(), market.store, (market.hub.address,)).is_enough
