"""Signing in and out, language and theme, in a real browser."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.console.chromium import assert_fits, screenshots, visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def account(consoles):
    """Name and password, as the start page tells."""
    cells = consoles.page.locator("section[aria-labelledby=account] dd")
    return [await cells.nth(place).inner_text() for place in range(2)]


async def test_a_wrong_password_and_then_the_right_one(browser, consoles, account):
    context = await visitor(browser)
    page = await context.new_page()
    await page.goto(f"{consoles.buyer}trainings/new")
    await expect(page).to_have_url(re.compile("/sign-in"))
    await assert_fits(page)
    name, password = account
    await page.fill("#name", name)
    await page.fill("#password", "not the password")
    await page.click("#sign-in")
    await expect(page.locator("#sign-in-problem")).to_be_visible()
    await screenshots(page, "sign-in-refused")
    await page.fill("#password", password)
    await page.click("#sign-in")
    await expect(page).to_have_url(f"{consoles.buyer}trainings/new")
    await page.click("#sign-out")
    await expect(page).to_have_url(re.compile("/sign-in"))
    await page.goto(f"{consoles.buyer}trainings")
    await expect(page).to_have_url(re.compile("/sign-in"))
    await context.close()


async def test_language_and_theme_are_kept(consoles):
    page = consoles.page
    await page.goto(f"{consoles.buyer}trainings")
    await page.get_by_role("button", name="Español").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Entrenamientos")
    await page.locator("button[name=theme][value=dark]").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.locator("html")).to_have_attribute("lang", "es")
    await assert_fits(page)
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.locator("button[name=language][value=en]").click()
    await page.locator("button[name=theme][value=auto]").click()


async def test_a_page_that_is_not_there_says_so(consoles):
    page = consoles.page
    await page.goto(f"{consoles.buyer}trainings/order:00")
    await expect(page.locator(".error h1")).to_be_visible()
    await assert_fits(page)
