"""Finding one's way through the consoles of a demo, as a person does."""

from dataclasses import dataclass
from typing import Literal, Self

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

_SERIOUS = frozenset({"serious", "critical"})
_RULES: dict[Literal["light", "dark"], dict[str, object]] = {
    "light": {},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}
ROUNDS = 4
"""Of every training that the demo is asked for on its start page."""
LONG = 360_000
"""Milliseconds for what a training has to do first."""


@dataclass(frozen=True, slots=True)
class Consoles:
    """The start page and the addresses it leads to, each ending in a slash."""

    page: Page
    start: str
    buyer: str
    aggregator: str
    owners: tuple[str, ...]

    @classmethod
    async def found(cls, page: Page, start: str) -> Self:
        """Read off the start page."""
        links = page.locator("[data-party]")
        urls = [str(await links.nth(place).get_attribute("href")) for place in range(await links.count())]
        return cls(page, start, urls[0], urls[1], tuple(urls[2:]))

    async def finished_training(self) -> str:
        """The address of a buyer's training that has ended well, started if there is none yet."""
        await self.page.goto(f"{self.buyer}trainings")
        row = self.page.locator("tr[data-training]", has=self.page.locator(".state-finished"))
        await expect(row.first).to_be_visible(timeout=LONG)
        return str(await row.first.get_attribute("data-training"))

    async def another_training(self) -> None:
        """Have the buyer order one more, from the start page."""
        await self.page.goto(self.start)
        await self.page.click("#train")

    async def training_from_its_start(self) -> None:
        """One that has only just begun: the demo's first, if nobody has come before."""
        await self.page.goto(self.start)
        trainings = self.page.locator("#state li")
        if await trainings.count() > 1 or await trainings.locator(".state-finished").count():
            await self.page.click("#train")


async def assert_accessible(page: Page) -> None:
    """No serious finding of axe, in either colour scheme."""
    serious = await _findings(page, _SERIOUS)
    assert not serious, f"{page.url}: " + "\n".join(serious)


async def breaches(page: Page) -> list[str]:
    """Whatever axe objects to, of any of its rules and however slight."""
    return await _findings(page, _SERIOUS | {"moderate", "minor"})


async def _findings(page: Page, impacts: frozenset[str]) -> list[str]:
    """Those of these impacts, in both colour schemes; the second differs in colours alone."""
    found = []
    for scheme, rules in _RULES.items():
        await page.emulate_media(color_scheme=scheme)
        report = await Axe().run(page, options={"resultTypes": ["violations"], **rules})
        found += [
            f"{one['id']} in {scheme}: {one['help']} ({node['html'][:200]})"
            for one in report.response["violations"]
            if one["impact"] in impacts
            for node in one["nodes"][:3]
        ]
    await page.emulate_media(color_scheme="light")
    return found
