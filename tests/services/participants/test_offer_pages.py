"""An aggregator's answers about what is on offer: of whom, in what order, how long, how often."""

import pytest

from protocol.data_card import MOST_CARDS, cards_digest
from protocol.messages import CardsAnswer, CardsRequest, size_limit
from protocol.messages.market import MOST_PAGE_OWNERS
from services.common.shares import Shares
from services.participants.offer_pages import PAGES_AT_ONCE, OfferPages
from tests.support.daemons.offers import OWNERS, OfferMarket, card, size_of, wide_card
from tests.support.daemons.service_world import Person


@pytest.fixture
def market():
    made = OfferMarket()
    yield made
    made.close()


def test_a_page_has_the_cards_of_admitted_owners_alone(market):
    stranger = "0x" + "ff" * 20
    market.announce(OWNERS[1], card("second"))
    market.announce(OWNERS[0], card("first"), card("more"))
    market.announce(stranger, card("strange"))
    (page,) = market.request(CardsRequest())
    assert [(one.owner, one.cards) for one in page.owners] == [(OWNERS[0], 2), (OWNERS[1], 1)]
    assert [one.name for one in page.cards] == ["first", "more", "second"]
    assert page.last
    market.aggregator.admitted = frozenset({OWNERS[1]})
    (page,) = market.request(CardsRequest())
    assert [one.name for one in page.cards] == ["second"]


def test_a_known_offer_is_named_and_not_sent_again(market):
    cards = (card("first"),)
    market.announce(OWNERS[0], *cards)
    market.announce(OWNERS[1], card("second"))
    (page,) = market.request(CardsRequest(known=(cards_digest(cards),)))
    assert [one.cards for one in page.owners] == [None, 1]
    assert [one.name for one in page.cards] == ["second"]


def test_pages_go_on_after_an_owner_and_hold_no_more_than_they_may(market):
    for number, owner in enumerate(OWNERS):
        market.announce(owner, *([card(f"c{number}")] if number < MOST_CARDS + 1 else []))
    (first,) = market.request(CardsRequest())
    assert (len(first.cards), first.last) == (MOST_CARDS, False)
    (second,) = market.request(CardsRequest(after=first.owners[-1].owner))
    assert second.owners[0].owner == OWNERS[MOST_CARDS]
    assert (len(second.owners), second.last) == (MOST_PAGE_OWNERS, False)


def test_the_longest_cards_still_fit_on_a_page_that_admission_takes(market):
    for owner in OWNERS[:3]:
        market.announce(owner, wide_card("a", 1000), wide_card("b", 1000))
    after, seen = None, []
    while True:
        (page,) = market.request(CardsRequest(after=after))
        assert size_of(page) < size_limit("cards_answer")
        seen += [one.owner for one in page.owners]
        if page.last:
            break
        after = page.owners[-1].owner
    assert seen == list(OWNERS[:3])


def test_who_asks_without_end_is_not_answered_and_costs_no_other_buyer_anything(market):
    market.announce(OWNERS[0], card())
    answered = sum(bool(market.request(CardsRequest())) for _ in range(PAGES_AT_ONCE + 20))
    assert answered == PAGES_AT_ONCE
    assert market.request(CardsRequest(), sender=Person("model_buyer"))


def test_nothing_is_read_for_who_asks_too_often(market):
    def forbidden():
        raise AssertionError

    pages = OfferPages(market.hub_store, Shares(0, 0.0))
    assert pages.answer(market.person.address, CardsRequest(), forbidden) is None


def test_one_more_page_a_minute_is_answered_after_the_first(market):
    now = [0.0]
    pages = OfferPages(market.hub_store, Shares(1, 1 / 60, clock=lambda: now[0]))
    answers = []
    for moment in (0.0, 1.0, 59.0, 61.0, 62.0):
        now[0] = moment
        answers.append(isinstance(pages.answer("b", CardsRequest(), tuple), CardsAnswer))
    assert answers == [True, False, False, True, False]
