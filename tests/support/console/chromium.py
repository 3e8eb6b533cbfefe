"""The distribution's Chromium, driven by Playwright; installed if it is missing."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.support.deployment.packages import install

SCREENSHOTS = Path(__file__).resolve().parents[3] / "build" / "screenshots"
"""What the pages looked like in the last run; not committed."""
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
_SHELL, _WHOLE = "chromium-headless-shell", "chromium"
"""The first draws no window that nobody sees, in half the processor time; not every distribution has it."""
_INSTRUCTIONS = "the browser tests need Chromium; run: sudo apt-get install chromium"
# As root there is no sandbox; the others keep the browser from asking for anything beyond loopback.
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


_PATIENCE_MILLISECONDS = 300_000
"""For whatever a page is asked to do: a busy machine is no fault of it."""


@cache
def chromium_path() -> str:
    """The browser's program; raises RuntimeError with instructions where none can be installed."""
    try:
        return _program(_SHELL)
    except RuntimeError:
        return _program(_WHOLE)


def _program(name: str) -> str:
    if shutil.which(name) is None:
        install([name], _INSTRUCTIONS)
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(_INSTRUCTIONS)
    return found


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """A headless browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(_OPTIONS))
        try:
            yield browser
        finally:
            await browser.close()


class Watched:
    """A page whose complaints are kept: whatever a script or the content security policy objects to."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.bytes = 0
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._said(said.type, said.text))

    def _said(self, kind: str, text: str) -> None:
        # A failed request is the network's and is looked at where it is provoked; htmx reports the requests
        # that it gives up for newer ones, and answers for inputs that are not shown any more. Taking a
        # screenshot leaves empty style attributes behind, and that is the hash of the empty string.
        expected = (
            "Failed to load resource",
            "net::ERR",
            "htmx:",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        )
        if kind == "error" and not any(one in text for one in expected):
            self.complaints.append(text)


async def assert_fits(page: Page) -> None:
    """Nothing may reach beyond the width of a desktop or a phone."""
    for size in (PHONE, DESKTOP):
        await page.set_viewport_size(size)
        wide = "document.documentElement.scrollWidth > window.innerWidth"
        await page.wait_for_function(f"() => !({wide})")  # a chart is drawn again after a change of size


async def screenshots(page: Page, name: str) -> None:
    """Nothing may reach beyond the width of a desktop or a phone; with DELTAML_SCREENSHOTS, pictures of both.

    They are of the whole page, light and dark.
    """
    if "DELTAML_SCREENSHOTS" not in os.environ:
        await assert_fits(page)
        return
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for place, size in (("desktop", DESKTOP), ("phone", PHONE)):
        await page.set_viewport_size(size)
        await page.wait_for_timeout(300)  # the chart is drawn again some time after a change of size
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await page.screenshot(path=SCREENSHOTS / f"{name}-{place}-{scheme}.png", full_page=True)
        wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} is {wide} pixels wider than a {place} screen"
    await page.set_viewport_size(DESKTOP)
    await page.emulate_media(color_scheme="light")


async def visitor(browser: Browser, **options: object) -> BrowserContext:
    """A person with no cookies yet, who wants no motion: a pulsing dot has a page drawn 60 times a second."""
    settings = {"viewport": DESKTOP, "locale": "en-GB", "reduced_motion": "reduce"}
    context = await browser.new_context(**{**settings, **options})
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    return context
