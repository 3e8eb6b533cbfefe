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
