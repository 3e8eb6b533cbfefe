"""The demonstration's start page in a browser."""

import pytest
from playwright.async_api import expect

from tests.support.console.chromium import assert_fits
from tests.support.console.pages import LONG

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_leads_to_every_party_and_shows_the_training_run(consoles):
    page = consoles.page
    await expect(page.locator("[data-party]")).to_have_count(7)
    await expect(page.locator("#state .state").first).to_be_visible(timeout=LONG)
    await assert_fits(page)


async def test_a_console_opens_signed_in(consoles):
    page = consoles.page
    async with page.context.expect_page() as opening:
        await page.locator("[data-party]").first.click()
    opened = await opening.value
    await expect(opened.get_by_role("heading", name="Trainings", level=1)).to_be_visible()
