"""What a buyer sees and does, in a real browser on a live market."""

import asyncio
import json
from importlib.resources import files

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.console.chromium import assert_fits
from tests.support.console.pages import LONG, ROUNDS

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIGURES_SWAPPED = """() => new Promise((done) => document.body.addEventListener(
    "htmx:sseMessage", (event) => event.detail.type === "figures" && done(true)))"""
SAMPLE = files("services.data") / "diabetes.csv"
COLUMNS = (("bmi", "-0.2", "0.2"), ("bp", "-0.2", "0.2"))

WATCH_FIGURES = """() => {
  window.figures = [];
  const context = CanvasRenderingContext2D.prototype, draw = context.fillText;
  context.fillText = function (text, ...place) {
    const width = this.measureText(text).width / devicePixelRatio;
    if (this.textAlign === "right") window.figures.push([text, width]);
    return draw.call(this, text, ...place);
  };
}"""
FIGURES_OF = """async (largest) => {
  window.figures = [];
  document.querySelector("[data-points]").dataset.points = `0:${largest} 1:${largest / 2} 2:${largest / 50}`;
  document.body.dispatchEvent(new Event("htmx:sseMessage"));
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  return window.figures;
}"""


async def fill_request(page: Page, name: str) -> None:
    """A request that the demo's owners can serve, typed as a person would."""
    await page.fill("#name", name)
    await page.fill("#target-name", "target")
    await page.fill("#target-minimum", "25")
    await page.fill("#target-maximum", "346")
    for place, (column, low, high) in enumerate(COLUMNS):
        if await page.locator(f"#feature-{place}-name").count() == 0:
            await page.click("#add-column")
        await page.fill(f"#feature-{place}-name", column)
        await page.fill(f"#feature-{place}-minimum", low)
        await page.fill(f"#feature-{place}-maximum", high)
    await page.fill("#rounds", "1")
    await page.fill("#owners-maximum", "5")
    await page.click("#more summary")
    await page.fill("#min_rows", "40")


async def _scored(page: Page) -> None:
    """On a file that was chosen: what came of it stands in the form's place, and nothing is loaded anew."""
    await page.set_input_files("#score-file", str(SAMPLE))
    await page.click("#score")
    await expect(page.locator("#scores dl")).to_contain_text("Mean absolute error (MAE)")
    await expect(page.locator("#scores dl dd").first).to_have_text("442")
    await assert_fits(page)
    await page.click("#remove-scores")
    await expect(page.locator("#scores dl")).to_have_count(0)


async def test_the_list_and_a_finished_training(consoles):
    page = consoles.page
    key = await consoles.finished_training()
    await assert_fits(page)
    await page.goto(f"{consoles.buyer}trainings/{key}")
    await expect(page.locator("#status .state-finished")).to_be_visible()
    await expect(page.locator("[data-chart] canvas")).to_be_visible()
    await expect(page.locator("#curve tr[data-x]")).to_have_count(ROUNDS + 1)
    await expect(page.locator("#partners tr[data-party]")).to_have_count(6)
    await expect(page.locator("#model td").first).to_be_visible()
    await expect(page.locator("#transactions td").first).to_be_visible()
    await assert_fits(page)
    async with page.expect_download() as downloading:
        await page.click("#download")
    downloaded = await (await downloading.value).path()
    model = json.loads(downloaded.read_text())
    assert len(model["features"]) == len(model["weights"]) == 10
    await _scored(page)


async def test_errors_of_every_size_fit_beside_the_chart(consoles):
    """The axis is 64 pixels wide, of which figures have what its title, ticks and gaps leave."""
    page = consoles.page
    await page.goto(f"{consoles.buyer}trainings/{await consoles.finished_training()}")
    await expect(page.locator("[data-chart] canvas")).to_be_visible()
    await page.evaluate(WATCH_FIGURES)
    for largest in ("6.3e14", "6253820233.5", "98765.4321", "12.5", "0.0667", "0.0000000123"):
        figures = await page.evaluate(FIGURES_OF, largest)
        assert len({text for text, _ in figures}) > 3, figures
        assert max(width for _, width in figures) <= 49, figures


async def test_a_request_is_checked_as_it_is_typed_confirmed_and_trained(consoles):
    page = consoles.page
    await consoles.finished_training()
    aggregator = await _aggregator(consoles)
    await page.goto(f"{consoles.buyer}trainings/new")
    await page.fill("#rounds", "no number")
    await expect(page.locator("#problem-rounds")).not_to_be_empty()
    await page.fill("#contribution", "60")
    await expect(page.locator("#problem-shares")).not_to_be_empty()
    await assert_fits(page)
    await page.fill("#contribution", "65")
    await expect(page.locator("#problem-shares")).to_be_empty()
    await page.fill("#aggregator", aggregator)
    await fill_request(page, "typed in a browser")
    async with page.expect_response("**/trainings/new/form"):  # its answer draws the field for the mean anew
        await page.select_option("#start", "mean")
    await expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    await page.fill("#start_value", "152")
    await page.fill("#step_size", "0.5")
    await expect(page.locator(".problem:not(:empty)")).to_have_count(0)
    await assert_fits(page)
    await page.click("#review")
    await expect(page.locator("#document")).to_contain_text("typed in a browser")
    await assert_fits(page)
    await page.click("#order")
    row = page.locator("tr[data-training]", has_text="typed in a browser")
    await expect(row).to_be_visible(timeout=LONG)
    await row.get_by_role("link").click()
    await expect(page.locator("#status .state")).to_be_visible()


async def test_a_request_from_yaml(consoles):
    page = consoles.page
    await page.goto(f"{consoles.buyer}trainings/new")
    await page.click("#yaml-details summary")
    await page.fill("#yaml-text", "name: [")
    await page.click("#yaml-fill")
    await expect(page.locator("#yaml-problem")).to_be_visible()
    await page.fill("#yaml-text", "name: from yaml\nschedule: {rounds: 7, step_size: '0.5'}\n")
    await page.click("#yaml-fill")
    await expect(page.locator("#name")).to_have_value("from yaml")
    await expect(page.locator("#rounds")).to_have_value("7")


async def test_a_training_is_stopped_with_a_reason(consoles):
    page = consoles.page
    written = asyncio.Event()

    async def after_the_reason(route: Route) -> None:
        await written.wait()
        await route.continue_()

    await consoles.another_training()
    # From the moment it is open it can be stopped; once it has ended there is nothing to stop.
    await page.goto(f"{consoles.buyer}trainings")
    going_on = page.locator(".state-waiting, .state-initiated, .state-in_progress")
    row = page.locator("tr[data-training]", has=going_on).first
    await expect(row).to_be_visible(timeout=LONG)
    await page.goto(f"{consoles.buyer}trainings/{await row.get_attribute('data-training')}")
    await expect(page.locator("#stop-details")).to_be_visible(timeout=LONG)
    # The live parts come when the form is half filled in, and must not take it away.
    await page.route("**/live/**", after_the_reason)
    await page.reload()
    await page.click("#stop-details summary")
    await page.fill("#reason", "a change of plans")
    swapped = asyncio.create_task(page.evaluate(FIGURES_SWAPPED))
    written.set()
    await swapped
    await expect(page.locator("#reason")).to_have_value("a change of plans")
    await page.click("#stop")
    await expect(page.locator("#stop-details")).to_have_count(0, timeout=LONG)


async def test_by_keyboard_alone(consoles):
    page = consoles.page
    await page.goto(f"{consoles.buyer}trainings")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    order = page.get_by_role("link", name="Order a training")
    for _press in range(30):
        await page.keyboard.press("Tab")
        if await order.evaluate("link => link === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Order a training")


async def _aggregator(consoles) -> str:
    """Its address, as the start page has it."""
    page = await consoles.page.context.new_page()
    await page.goto(consoles.start)
    address = await page.locator("[data-party]").nth(1).get_attribute("data-party")
    await page.close()
    return str(address)
