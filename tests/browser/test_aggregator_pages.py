"""The aggregator's operator and the buyer look on, in a real browser."""

import pytest
from playwright.async_api import expect

from tests.support.console.chromium import assert_fits
from tests.support.console.pages import LONG, ROUNDS

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_training_is_watched_by_its_buyer_and_its_aggregator_who_can_change_nothing(consoles):
    page = consoles.page
    await consoles.training_from_its_start()
    buyers = await page.context.new_page()
    await buyers.goto(f"{consoles.buyer}trainings")
    await page.goto(f"{consoles.aggregator}trainings")
    going_on = "tr[data-training]:has(.state-in_progress)"
    running = await page.wait_for_selector(going_on, timeout=LONG)
    row = await buyers.wait_for_selector(going_on, timeout=LONG)
    await page.goto(f"{consoles.aggregator}trainings/{await running.get_attribute('data-training')}")
    await buyers.goto(f"{consoles.buyer}trainings/{await row.get_attribute('data-training')}")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert await page.locator("main form").count() == 0
    await expect(buyers.locator("#curve tr[data-x]").nth(2)).to_be_attached(timeout=LONG)
    await assert_fits(page)
    await assert_fits(buyers)
    for watching in (page, buyers):
        await expect(watching.locator("#status .state-finished")).to_be_visible(timeout=LONG)
    await expect(buyers.locator("#curve tr[data-x]")).to_have_count(ROUNDS + 1)


async def test_pay_is_shown_and_downloaded_and_addresses_are_copied_whole(consoles):
    page = consoles.page
    await consoles.finished_training()
    await page.goto(f"{consoles.aggregator}earnings")
    await expect(page.locator("#history tr[data-training]").first).to_be_visible(timeout=LONG)
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
