"""A model card as its reader opens it: from a file, offline, on a phone, on paper."""

import pytest

from services.console.presentation.model_card import as_html
from services.records.model_card import model_card
from services.records.own_scores import keep_scores
from services.store import Store
from tests.support.console.chromium import Watched, screenshots, visitor
from tests.support.console.pages import assert_accessible
from tests.support.console.trainings import CLASS_SCORES, finished_training

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_card_is_read_without_anything_beside_it(browser, tmp_path):
    store = Store()
    key = finished_training(store, name="A name as long as a name may be, " + "with words and words " * 3)
    card = tmp_path / "card.html"
    keep_scores(store, key, CLASS_SCORES)
    card.write_text(as_html(model_card(store, store.instance(key))))
    page = await (await visitor(browser, offline=True)).new_page()
    watched, fetched = Watched(page), []
    page.on("request", lambda request: fetched.append(request.url))
    await page.goto(card.as_uri())
    await assert_accessible(page)
    await screenshots(page, "model-card")
    for figure in ("polyline", "svg rect"):
        assert await page.locator(figure).first.is_visible()
    assert await page.locator("h2").first.evaluate("(title) => getComputedStyle(title).marginTop") == "32px"
    await page.emulate_media(media="print")
    assert await page.evaluate("getComputedStyle(document.body).fontSize") == "13.3333px"
    assert fetched == [card.as_uri()]
    assert watched.complaints == []
