"""What is on offer, on the buyer's console, and how many owners an order would reach."""

import re

import pytest

from protocol.messages import CardsOrder
from protocol.messages.examples import any_request
from services.console.buyer.order_form import values_of
from tests.support.console.offers import AGGREGATOR, tell_offers
from tests.support.console.trainings import put
from tests.support.console.world import Browser
from tests.support.daemons.offers import OWNERS

OTHER = "0x" + "a2" * 20


@pytest.fixture
def told(world):
    tell_offers(world)


@pytest.mark.usefixtures("told")
async def test_the_page_shows_cards_and_columns_as_they_were_told(browser):
    text = await browser.get("/offers")
    assert text.count("data-card=") == 4
    assert "&lt;b&gt;clinic&lt;/b&gt;" in text
    assert "CC-BY-4.0" in text
    assert AGGREGATOR in text
    assert f'Clinic &lt;north&gt; <code class="identifier" title="{OWNERS[0]}">' in text
    assert re.search(r"age</th><td>years</td>\s*<td class=\"figure\" data-label=\"Smallest\">18</td>", text)


@pytest.mark.usefixtures("told")
async def test_asking_gives_the_daemon_an_order(world, browser):
    response = await browser.post("/offers")
    assert (response.status, response.headers["Location"]) == (303, "/offers")
    await browser.post("/offers", {"aggregator": f" {OTHER.upper().replace('X', 'x')} "})
    assert [body for body, _ in world.orders] == [
        CardsOrder(aggregators=(AGGREGATOR,)),
        CardsOrder(aggregators=(OTHER,)),
    ]


async def test_what_is_no_address_is_not_asked(world, browser):
    for text in ("", "nearby", "0xAa" + "a2" * 19):
        response = await browser.post("/offers", {"aggregator": text})
        assert response.status == 422
    assert "No data sets are known" in await browser.get("/offers")
    assert world.orders == []


@pytest.mark.usefixtures("told")
async def test_a_viewer_sees_the_page_and_cannot_ask(world):
    async with Browser(world) as viewer:
        await viewer.sign_in("victor")
        assert 'id="ask"' not in await viewer.get("/offers")
        assert (await viewer.post("/offers")).status == 403
    assert world.orders == []


@pytest.mark.usefixtures("told")
async def test_cards_are_compared_with_an_ordered_request(world, browser):
    key = "order:1"
    put(world.store, key, any_request().model_copy(update={"name": "blood <pressure>"}))
    text = await browser.get("/offers")
    assert "data-serves" not in text
    assert f'<option value="{key}">blood &lt;pressure&gt;</option>' in text
    text = await browser.get(f"/offers?request={key}")
    assert re.findall(r'data-serves="(\w+)"', text) == ["yes", "yes", "yes", "no"]
    assert "no column &#39;progression&#39;" in text
    assert "this would reach 3 of 4 owners" in text
    put(world.store, "order:2", any_request().model_copy(update={"aggregator": OTHER}))
    text = await browser.get("/offers?request=order:2")
    assert text.count("listed with another aggregator than the request's") == 4
    assert await browser.status("/offers?request=none") == 404


@pytest.mark.usefixtures("told")
async def test_an_order_tells_why_a_card_does_not_serve_it(browser):
    await browser.get("/trainings/new")
    text = await checked(browser)
    assert "Why 1 data set does not serve it" in text
    assert "<strong>short</strong>" in text
    assert "no column &#39;progression&#39;" in text


async def checked(browser):
    values = values_of(any_request().model_dump(mode="json"))
    response = await browser.post("/trainings/new/check", values)
    return await response.text()


@pytest.mark.usefixtures("told")
async def test_an_order_tells_how_many_owners_it_would_reach(browser):
    await browser.get("/trainings/new")
    assert "this would reach 3 of 4 owners; it needs 4." in await checked(browser)
    assert f'<option value="{AGGREGATOR}">' in await browser.get("/trainings/new")


async def test_where_nothing_was_told_an_order_says_so(browser):
    await browser.get("/trainings/new")
    assert "Not known yet" in await checked(browser)
