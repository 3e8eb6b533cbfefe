"""`python -m tests.browser.screenshots`: pictures of every page of the consoles, in every language and width.

They lie in build/screenshots/pages, as <language>/<page>-<width>.png; what does not fit its page is printed.
"""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from playwright.async_api import Browser

from services.console.presentation.i18n import LANGUAGES
from tests.support.console.chromium import SCREENSHOTS, running_browser
from tests.support.console.gallery import Stand, gallery
from tests.support.console.layout import WIDTHS, at_width, cut, opened, reader


async def _pictures(browser: Browser, stand: Stand, language: str, folder: Path, only: str) -> int:
    count = 0
    async with reader(browser, stand, language) as page:
        for scene in stand.scenes:
            if only not in scene.name:
                continue
            await opened(page, stand, scene)
            for width in WIDTHS:
                await at_width(page, width)
                await page.wait_for_timeout(250)  # the chart is drawn anew after a change of size
                for problem in await cut(page):
                    typer.echo(f"{language} {scene.name} {width}: {problem}", err=True)
                await page.screenshot(path=folder / language / f"{scene.name}-{width}.png", full_page=True)
                count += 1
    return count


async def take(folder: Path, only: str) -> int:
    """All pictures; returns how many."""
    shutil.rmtree(folder, ignore_errors=True)
    count = 0
    with tempfile.TemporaryDirectory() as stores:
        async with gallery(Path(stores)) as stands, running_browser() as browser:
            for language in LANGUAGES:
                (folder / language).mkdir(parents=True)
                for stand in stands:
                    count += await _pictures(browser, stand, language, folder, only)
    return count


def main(
    folder: Annotated[Path, typer.Option(help="Where they go; emptied first.")] = SCREENSHOTS / "pages",
    only: Annotated[str, typer.Option(help="Only pages whose names contain this.")] = "",
) -> None:
    """Take a picture of every page."""
    typer.echo(f"{asyncio.run(take(folder, only))} pictures in {folder}")


if __name__ == "__main__":
    typer.run(main)
