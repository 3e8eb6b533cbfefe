"""A real browser and a market of consoles, which all tests of this folder share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.support.console.chromium import Watched, running_browser, visitor
from tests.support.console.pages import LONG, ROUNDS, Consoles
from tests.support.daemons.demo_process import DemoProcess, running_demo

expect.set_options(timeout=LONG)  # a busy machine is no fault of a page


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """Its visitors leave at the end of the test."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    folder: Path = tmp_path_factory.mktemp("demo")
    # So slowly that no training ends before its last round.
    schedule = ("--rounds", str(ROUNDS), "--local-steps", "5", "--step-size", "0.3", "--start", "mean")
    with running_demo(folder / "errors", *schedule, "--workers", "0") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def consoles(browser: Browser, demo: DemoProcess) -> AsyncIterator[Consoles]:
    """A person who came by the start page; at the end no page may have complained."""
    context = await visitor(browser)
    watched: list[Watched] = []
    context.on("page", lambda page: watched.append(Watched(page)))
    page = await context.new_page()
    await page.goto(demo.address)
    yield await Consoles.found(page, demo.root)
    complaints = [complaint for one in watched for complaint in one.complaints]
    assert not complaints, complaints
