"""Every page of the consoles on a desk and a phone: whole, readable and labelled.

DELTAML_ALL_PAGES has every page looked at in each language; without it one page of each kind is, in the
language with the longer texts.
"""

import os
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from services.console.presentation.i18n import LANGUAGES
from tests.support.console.chromium import Watched
from tests.support.console.gallery import gallery
from tests.support.console.layout import WIDTHS, at_width, cut, opened, reader
from tests.support.console.pages import breaches

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = "DELTAML_ALL_PAGES" in os.environ
LOOKED_AT_IN = LANGUAGES if ALL else ("es",)
OF_EACH_KIND = frozenset(
    {
        *(
            "start",
            "sign-in",
            "not-found",
            "buyer-trainings",
            "buyer-training-finished",
            "buyer-offers-compared",
        ),
        *(
            "buyer-order-problems",
            "buyer-confirm",
            "owner-training-decision",
            "owner-data-sets",
            "owner-data-set",
        ),
        *(
            "owner-card",
            "owner-policy-problem",
            "owner-earnings",
            "aggregator-trainings",
            "aggregator-training-running",
        ),
    }
)
"""A page of every template and with every part of one; the others differ from these in what they tell."""

FLATTENED = "0:5930 1:2901 2:2884 3:2881 4:2880"
STEEP = "0:5930 1:1200 2:310 3:22 4:5"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stands(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("gallery")
    async with gallery(folder) as found:
        yield found


@pytest.mark.parametrize("language", LOOKED_AT_IN)
async def test_nothing_is_cut_and_axe_has_no_objection(browser, stands, language):
    """One load for both widths, and for axe in both colour schemes."""
    found, looked_at = [], set()
    for stand in stands:
        async with reader(browser, stand, language) as page:
            watched = Watched(page)
            for scene in stand.scenes:
                if not ALL and scene.name not in OF_EACH_KIND:
                    continue
                looked_at.add(scene.name)
                await opened(page, stand, scene)
                for width in WIDTHS:
                    await at_width(page, width)
                    found += [f"{scene.name} at {width}: {what}" for what in await cut(page)]
                found += [f"{scene.name}: {what}" for what in await breaches(page)]
            found += watched.complaints
    assert not found, "\n".join(found)
    assert looked_at >= OF_EACH_KIND


async def test_a_first_drop_does_not_flatten_the_rest_of_the_curve(browser, stands):
    stand = next(one for one in stands if any(scene.name == "buyer-training-running" for scene in one.scenes))
    scene = next(scene for scene in stand.scenes if scene.name == "buyer-training-running")
    async with reader(browser, stand, "en") as page:
        await opened(page, stand, scene)
        await expect(page.locator("#curve-note")).to_be_hidden()
        assert await _labels(page, FLATTENED) <= 2910
        await expect(page.locator("#curve-note")).to_contain_text("5,930, is above this chart")
        await page.get_by_role("button", name="Show the start too").click()
        assert await _labels(page, FLATTENED) > 5000
        assert await _labels(page, STEEP) > 1000
        await expect(page.locator("#curve-note")).to_contain_text("")


async def _labels(page, points):
    """The largest figure beside the chart of these points."""
    return await page.evaluate(
        """async (points) => {
          const drawn = [], context = CanvasRenderingContext2D.prototype, draw = context.fillText;
          context.fillText = function (text, ...place) {
            if (this.textAlign === "right") drawn.push(Number(text.replaceAll(",", "")));
            return draw.call(this, text, ...place);
          };
          document.querySelector("[data-points]").dataset.points = points;
          document.body.dispatchEvent(new Event("htmx:sseMessage"));
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          context.fillText = draw;
          return Math.max(...drawn);
        }""",
        points,
    )
