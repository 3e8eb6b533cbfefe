"""The aggregator's operator looks on, in a real browser."""

import pytest
from playwright.async_api import expect

from tests.support.console.chromium import assert_fits
from tests.support.console.pages import LONG, assert_accessible

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_training_is_watched_and_nothing_can_be_changed(consoles):
    page = consoles.page
    await consoles.finished_training()
    await consoles.another_training()
    await page.goto(f"{consoles.aggregator}trainings")
    running = page.locator("tr[data-training]", has=page.locator(".state-in_progress")).first
    await expect(running).to_be_visible(timeout=LONG)
    await assert_accessible(page)
    await assert_fits(page)
    await running.get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await assert_accessible(page)
    await assert_fits(page)
    forms = await page.locator("main form").count()
    assert forms == 0
    await expect(page.locator("#status .state-finished")).to_be_visible(timeout=LONG)


async def test_pay_is_shown_and_downloaded_and_addresses_are_copied_whole(consoles):
    page = consoles.page
    await consoles.finished_training()
    await page.goto(f"{consoles.aggregator}earnings")
    await expect(page.locator("#history tr[data-training]").first).to_be_visible(timeout=LONG)
    await assert_accessible(page)
    await assert_fits(page)
    async with page.expect_download() as downloading:
        await page.locator('a[href="/earnings.csv"]').click()
    assert (await downloading.value).suggested_filename.endswith(".csv")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    party = page.locator(".who .identifier")
    whole = await party.get_attribute("title")
    await party.press("Enter")
    await expect(page.locator("#connection")).to_contain_text(str(whole))
    assert await page.evaluate("navigator.clipboard.readText()") == whole
