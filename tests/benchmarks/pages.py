"""`python -m tests.benchmarks.pages`: how long a browser needs for a console's pages that it has never seen.

Chromium, headless, on the console of a demo; its cache is emptied before each load. A tab is open already,
as it is when somebody has signed in: starting a browser's process is not counted.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from playwright.async_api import CDPSession, Page
from rich.console import Console as Terminal
from rich.table import Table

from tests.support.console.chromium import running_browser, visitor
from tests.support.console.pages import Consoles
from tests.support.daemons.demo_process import DemoProcess, running_demo

_FIGURES = ("first byte", "first paint", "loaded", "kB")
_READ = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  const parts = performance.getEntriesByType("resource");
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const bytes = page.encodedBodySize + parts.reduce((sum, part) => sum + part.encodedBodySize, 0);
  return [page.responseStart, paint.startTime, page.loadEventEnd, bytes / 1000];
}"""
_SETTLE_MILLISECONDS = 500


async def _loads(page: Page, devtools: CDPSession, url: str, count: int) -> list[list[float]]:
    found = []
    for _ in range(count):
        await devtools.send("Network.clearBrowserCache")
        await page.goto(url, wait_until="load")
        await page.wait_for_timeout(_SETTLE_MILLISECONDS)
        found.append(await page.evaluate(_READ))
    return found


async def measure(demo: DemoProcess, count: int) -> dict[str, list[list[float]]]:
    """Milliseconds and kilobytes by page."""
    async with running_browser() as browser:
        context = await visitor(browser)
        page = await context.new_page()
        await page.goto(demo.address)
        consoles = await Consoles.found(page, demo.root)
        key = await consoles.finished_training()
        devtools = await context.new_cdp_session(page)
        pages = {
            "buyer's list": f"{consoles.buyer}trainings",
            "buyer's training": f"{consoles.buyer}trainings/{key}",
            "buyer's order": f"{consoles.buyer}trainings/new",
            "owner's list": f"{consoles.owners[0]}trainings",
            "owner's data sets": f"{consoles.owners[0]}data-sets",
            "aggregator's list": f"{consoles.aggregator}trainings",
        }
        return {name: await _loads(page, devtools, url, count) for name, url in pages.items()}


def main(count: Annotated[int, typer.Option(min=1, help="Loads of each page.")] = 9) -> None:
    """Measure and print medians."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "errors"
        with running_demo(output, "--thesis", "--rounds", "8", "--workers", "0") as demo:
            found = asyncio.run(measure(demo, count))
    table = Table("page (medians; ms, kB compressed)", *_FIGURES)
    for name, loads in found.items():
        medians = [statistics.median(values) for values in zip(*loads, strict=True)]
        table.add_row(name, *(f"{value:.0f}" for value in medians))
    Terminal().print(table)


if __name__ == "__main__":
    typer.run(main)
