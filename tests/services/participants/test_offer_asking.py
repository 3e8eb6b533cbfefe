"""What a buyer keeps of what aggregators tell about offers, and what it does not believe."""

import pytest

from protocol.data_card import cards_digest
from protocol.errors import ProtocolViolation
from protocol.messages import CardsAnswer, CardsOrder, OwnerCards
from services.participants import offer_asking
from services.records.offers import asking_of, told_offers
from tests.support.daemons.offers import OWNERS, OfferMarket, card
from tests.support.daemons.service_world import Person


@pytest.fixture
def market():
    made = OfferMarket()
    yield made
    made.close()


def names(market):
    told = told_offers(market.store, market.hub.address)
    return {owner: [one.card.name for one in offer.cards] for owner, offer in told.items()}


def code_of(market, page, sender=None):
    with pytest.raises(ProtocolViolation) as caught:
        market.tell(page, sender)
    return caught.value.code


def order(market):
    signed = market.person.signed(market.person, CardsOrder(aggregators=(market.hub.address,)), training=0)
    return market._take(market.buyer, market.store, signed)


def page_of(*owners, last=True, after=None):
    """A page with one card of each owner."""
    cards = tuple(card(owner[-4:]) for owner in owners)
    listed = tuple(
        OwnerCards(owner=owner, digest=cards_digest((one,)), cards=1)
        for owner, one in zip(owners, cards, strict=True)
    )
    return CardsAnswer(after=after, owners=listed, cards=cards, last=last)


def test_all_pages_are_asked_for_and_kept_with_hash_and_time(market):
    for number, owner in enumerate(OWNERS[:130]):
        market.announce(owner, card(f"c{number}"))
    asked = market.ask()
    assert len(market.pages) == 3
    assert names(market) == {owner: [f"c{number}"] for number, owner in enumerate(OWNERS[:130])}
    told = told_offers(market.store, market.hub.address)[OWNERS[0]]
    assert told.cards[0].hash == card("c0").hash()
    asking = asking_of(market.store, market.hub.address)
    assert asking.order == asked
    assert told.at <= asking.told_at


def test_what_has_not_changed_is_not_sent_again(market):
    for owner in OWNERS[:3]:
        market.announce(owner, card(owner[-4:]))
    market.announce(OWNERS[3])
    market.ask()
    market.announce(OWNERS[1], card("new"))
    market.announce(OWNERS[4])
    market.ask()
    assert [one.name for one in market.pages[-1].cards] == ["new"]
    assert names(market)[OWNERS[1]] == ["new"]
    assert names(market)[OWNERS[0]] == [OWNERS[0][-4:]]
    assert names(market)[OWNERS[4]] == []


def test_who_is_no_longer_admitted_is_forgotten(market):
    for owner in OWNERS[:3]:
        market.announce(owner, card(owner[-4:]))
    market.ask()
    market.aggregator.admitted = frozenset({OWNERS[1]})
    market.ask()
    assert list(names(market)) == [OWNERS[1]]


def test_an_answer_that_nobody_asked_for_is_not_believed(market):
    page = page_of(OWNERS[0])
    assert code_of(market, page) == "not_asked"
    order(market)
    assert code_of(market, page, Person("federated_aggregator")) == "not_asked"
    assert code_of(market, page_of(OWNERS[1], after=OWNERS[0])) == "not_asked"
    assert market.tell(page) == ()
    assert code_of(market, page) == "not_asked"
    assert list(names(market)) == [OWNERS[0]]


def test_cards_that_were_never_told_cannot_be_known(market):
    order(market)
    one = OwnerCards(owner=OWNERS[0], digest=b"\xd1" * 32, cards=None)
    assert code_of(market, CardsAnswer(after=None, owners=(one,), cards=(), last=True)) == "not_known"
    assert names(market) == {}


def test_an_aggregator_that_never_ends_is_cut_off(market, monkeypatch):
    monkeypatch.setattr(offer_asking, "MOST_PAGES", 3)
    order(market)
    after, asked = None, 0
    for owner in OWNERS[:3]:
        asked += len(market.tell(page_of(owner, last=False, after=after)))
        after = owner
    assert asked == 2
    assert code_of(market, page_of(OWNERS[3], after=after)) == "not_asked"


@pytest.mark.parametrize(("bound", "most"), [("MOST_OWNERS", 1), ("MOST_BYTES", 500)])
def test_more_than_is_kept_is_refused_and_what_was_told_before_stands(market, monkeypatch, bound, most):
    market.announce(OWNERS[0], card("kept"))
    market.ask()
    monkeypatch.setattr(offer_asking, bound, most)
    order(market)
    assert code_of(market, page_of(OWNERS[1], OWNERS[2])) == "too_many_cards"
    assert names(market) == {OWNERS[0]: ["kept"]}
