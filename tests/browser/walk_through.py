"""The demonstration as one walks through it: numbered pictures in build/screenshots/walk-through."""

from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.async_api import Page, expect

from tests.support.console.chromium import SCREENSHOTS, visitor
from tests.support.console.pages import LONG, ROUNDS, Consoles

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Series:
    """Numbered pictures of what the window shows."""

    def __init__(self) -> None:
        self.folder = SCREENSHOTS / "walk-through"
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob("*.png"):
            old.unlink()
        self.taken: list[Path] = []

    async def take(self, page: Page, name: str) -> None:
        place = self.folder / f"{len(self.taken) + 1:02}-{name}.png"
        await page.wait_for_timeout(300)
        await page.screenshot(path=place)
        self.taken.append(place)


async def open_newest(page: Page) -> None:
    """The training on top of the list: by its address, since two that are under way change places."""
    row = page.locator("tr[data-training] a").first
    await page.goto(urljoin(page.url, str(await row.get_attribute("href"))))


async def test_from_the_start_page_to_the_model_and_the_pay(browser, demo):
    series = Series()
    page = await (await visitor(browser)).new_page()
    await page.goto(demo.address)
    consoles = await Consoles.found(page, demo.root)
    await consoles.finished_training()  # the one whose course is looked at is then the newest everywhere
    await consoles.another_training()
    await expect(page.locator("#state li").first.locator(".state-finished")).to_have_count(0)
    await expect(page.locator("#state li").nth(1)).to_be_visible()
    await series.take(page, "start-page")
    async with page.context.expect_page() as opening:
        await page.locator("#state a").first.click()
    watching = await opening.value
    await expect(watching.locator("#curve tr[data-x]").nth(1)).to_be_attached(timeout=LONG)
    await series.take(watching, "buyer-sees-the-first-round")
    await page.goto(f"{consoles.aggregator}trainings")
    await open_newest(page)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await series.take(page, "aggregator-sees-who-is-waited-for")
    await page.goto(f"{consoles.owners[0]}trainings")
    await open_newest(page)
    await expect(page.locator("#status")).to_be_visible()
    await series.take(page, "owner-sees-what-is-asked-and-paid")
    await expect(watching.locator("#curve tr[data-x]").nth(ROUNDS)).to_be_attached(timeout=LONG)
    await series.take(watching, "buyer-sees-the-error-fall")
    await expect(watching.locator("#status .state-finished")).to_be_visible(timeout=LONG)
    await series.take(watching, "buyer-has-the-model")
    await watching.locator("#model-heading").scroll_into_view_if_needed()
    await series.take(watching, "contribution-pay-and-weights")
    await page.goto(f"{consoles.owners[0]}earnings")
    await expect(page.locator("#history tr[data-training]").first).to_be_visible(timeout=LONG)
    await series.take(page, "owner-was-paid")
    await page.goto(f"{consoles.buyer}trainings/new")
    await series.take(page, "buyer-orders-the-next")
    assert len(series.taken) == 9
