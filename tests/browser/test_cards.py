"""Cards in a browser: an owner changes and lists one, a buyer sees which on offer serve a request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from protocol.messages.examples import any_request
from tests.support.console.chromium import Watched, screenshots, visitor
from tests.support.console.offers import tell_offers
from tests.support.console.pages import assert_accessible
from tests.support.console.trainings import put
from tests.support.console.world import PASSWORD, ConsoleWorld

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUSES = "area,garden,heating,built,name\n" + "".join(
    f"{40 + n},{'yes' if n % 2 else 'no'},{'gas' if n % 3 else 'oil & wood'},200{n % 9}-01-08,person {n}\n"
    for n in range(60)
)


@asynccontextmanager
async def signed_in(world: ConsoleWorld, browser: Browser) -> AsyncIterator[Page]:
    """An operator's page; at the end it must not have complained."""
    async with world.running():
        page = await (await visitor(browser)).new_page()
        watched = Watched(page)
        await page.goto(world.url)
        await page.fill("#name", "olga")
        await page.fill("#password", PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("h1")).to_be_visible()
        yield page
        assert not watched.complaints


async def in_both_languages(page: Page, name: str) -> None:
    """The page as it is on four screens; then the same in Spanish."""
    await screenshots(page, name)
    await page.click("button[name=language][value=es]")
    await expect(page.locator("html")).to_have_attribute("lang", "es")
    await screenshots(page, f"{name}-es")
    await page.click("button[name=language][value=en]")
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_an_owner_declares_a_card_and_lists_it(browser: Browser, tmp_path: Path) -> None:
    async with signed_in(ConsoleWorld(tmp_path, "data_owner"), browser) as page:
        await page.get_by_role("link", name="Data sets").click()
        await expect(page.locator("#listing-hint")).to_contain_text("stays unlisted until you list it")
        await screenshots(page, "owner-add-data-set")
        await page.fill("#ranges", "area=45:500")
        await page.select_option("#outside", "clip")
        file = {"name": "houses.csv", "mimeType": "text/csv", "buffer": HOUSES.encode()}
        await page.set_input_files("#file", [file])
        await page.click("#upload")
        await expect(page.locator("[data-listing=words]")).to_be_visible()
        await page.get_by_role("link", name="Open it").click()
        await expect(page.locator("tr[data-column=area]")).to_contain_text("45 to 500")
        await in_both_languages(page, "owner-card")
        await page.click("#change-card")
        await page.fill("#column-0-unit", "m²")
        await page.fill("#purpose", "Rents in the north")
        await page.select_option("#listed", "yes")
        await page.click("#save-card")
        await expect(page.locator("#card-problem")).to_contain_text("Most words of name describe single rows")
        await expect(page.locator("#purpose")).to_have_value("Rents in the north")
        await assert_accessible(page)
        await page.check("#column-4-publish")
        await page.click("#save-card")
        await expect(page.locator("[data-listing=shown]")).to_be_visible()
        await expect(page.locator("tr[data-column=area]")).to_contain_text("m²")
        await page.click("#unlist")
        await expect(page.locator("[data-listing=words]")).to_be_visible()


async def test_a_buyer_sees_which_cards_serve_a_request(browser: Browser, tmp_path: Path) -> None:
    world = ConsoleWorld(tmp_path)
    tell_offers(world)
    put(world.store, "order:1", any_request())
    async with signed_in(world, browser) as page:
        await page.get_by_role("link", name="Offers").click()
        await expect(page.locator("tr[data-card]")).to_have_count(4)
        await page.select_option("#request", "order:1")
        await page.click("#compare")
        await expect(page.locator("[data-serves=yes]")).to_have_count(3)
        await expect(page.locator("[data-serves=no]")).to_contain_text("no column 'progression'")
        await in_both_languages(page, "buyer-offers")
