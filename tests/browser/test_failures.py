"""What a person sees when the broker is away, or the daemon restarts under an open page."""

import asyncio

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.console.chromium import screenshots, visitor
from tests.support.console.daemon import NAME, PASSWORD, ConsoleDaemon
from tests.support.console.pages import LONG

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUEST = """\
name: {name}
features: [{{name: bmi, minimum: "-0.2", maximum: "0.2"}}]
target: {{name: target, minimum: "0", maximum: "400"}}
schedule: {{rounds: 3, local_steps: 5, step_size: "0.5"}}
payment: {{deposit_wei: "1000000000000000000"}}
aggregator: "0x00000000000000000000000000000000000000a1"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def daemon(tmp_path_factory, rabbitmq):
    async with ConsoleDaemon(tmp_path_factory.mktemp("daemon"), rabbitmq) as running:
        await _answering(running)
        yield running


async def _answering(daemon: ConsoleDaemon) -> None:
    """Wait until the daemon's console is there."""
    async with asyncio.timeout(600), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{daemon.url}sign-in") as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.2)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser, daemon):
    context = await visitor(browser)
    page = await context.new_page()
    await page.goto(f"{daemon.url}trainings")
    await page.fill("#name", NAME)
    await page.fill("#password", PASSWORD)
    await page.click("#sign-in")
    await expect(page.get_by_role("heading", name="Trainings", level=1)).to_be_visible()
    return page


async def _review(page, daemon: ConsoleDaemon, name: str) -> None:
    """As far as the confirmation of an order."""
    await page.goto(f"{daemon.url}trainings/new")
    await page.click("#yaml-details summary")
    await page.fill("#yaml-text", REQUEST.format(name=name))
    await page.click("#yaml-fill")
    await page.click("#review")
    await expect(page.locator("#order")).to_be_visible()


async def _order_until_taken(page) -> None:
    """The broker is back: the same button works once the daemon has connected again."""
    async with asyncio.timeout(LONG / 1000):
        while True:
            await page.click("#order")
            if "/trainings?ordered" in page.url:
                return
            await page.go_back()


async def test_an_order_while_the_broker_is_away_is_refused_and_works_later(daemon, page):
    before = await page.locator("tr[data-training]").count()
    await _review(page, daemon, "while the broker was away")
    daemon.link.cut()
    await page.click("#order")
    await expect(page.locator(".error h1")).to_have_text(
        "The daemon is busy or cannot reach its broker", timeout=LONG
    )
    assert daemon.link.counts["cut"] > 0
    await screenshots(page, "broker-away")
    await page.goto(f"{daemon.url}trainings")
    await expect(page.locator("tr[data-training]")).to_have_count(before)
    daemon.link.heal()
    await _review(page, daemon, "when the broker was back")
    await _order_until_taken(page)
    await expect(page.locator("tr[data-training]")).to_have_count(before + 1, timeout=LONG)


async def test_an_open_page_lives_on_when_its_daemon_restarts(daemon, page):
    before = await page.locator("tr[data-training]").count()
    daemon.buyer.kill()
    await expect(page.locator("#connection")).to_have_text("Connection lost. Trying again…", timeout=LONG)
    await screenshots(page, "daemon-away")
    daemon.buyer.start()
    await _answering(daemon)
    await expect(page.locator("#connection")).to_have_text("Connected again.", timeout=LONG)
    other = await page.context.new_page()
    await _review(other, daemon, "ordered after the restart")
    await _order_until_taken(other)
    # Nobody has touched the first page: it is signed in still, and learns of the order by itself.
    await expect(page.locator("tr[data-training]")).to_have_count(before + 1, timeout=LONG)
