"""Whether a page fits its screen: nothing is cut, behind an edge, or to be found by scrolling sideways."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, expect

from tests.support.console.chromium import DESKTOP, PHONE, visitor
from tests.support.console.gallery import Scene, Stand, language_cookie

WIDTHS = (DESKTOP["width"], PHONE["width"])
_HEIGHT = 900

_CUT = """() => {
  const found = new Set(), screen = document.documentElement.clientWidth;
  const tell = (one, what) => found.add(
    `${what}: ${one.tagName}#${one.id}.${one.className} ${one.textContent.trim().slice(0, 50)}`);
  const whole = document.documentElement.scrollWidth;
  if (whole > screen) found.add(`the page is ${whole} wide`);
  const ruler = document.createElement("canvas").getContext("2d");
  const isChosenCut = (select, style) => {
    ruler.font = style.font;
    const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return ruler.measureText(select.selectedOptions[0]?.textContent ?? "").width > room;
  };
  // A document and a file's own rows are as wide as they are: they scroll. The rest of these is not seen.
  const left = ".hidden, .skip, pre, .preview, .stacked thead, svg, .uplot";
  const texts = "a, button, code, dd, dt, h1, h2, h3, input, label, li, p, summary, td, th";
  for (const one of document.querySelectorAll("body *")) {
    if (!one.checkVisibility() || one.closest(left)) continue;
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    if (box.width && (box.right > screen + 1 || box.left < -1)) tell(one, "beyond the screen");
    const isBox = style.overflowX !== "visible" || (style.display !== "inline" && one.matches(texts));
    if (isBox && one.scrollWidth > one.clientWidth + 1) tell(one, "cut");
    if (one.tagName === "SELECT" && isChosenCut(one, style)) tell(one, "cut");
  }
  return [...found];
}"""


_CHARTS_FIT = """() => [...document.querySelectorAll("[data-chart]:not([hidden])")]
  .every((chart) => chart.scrollWidth <= chart.clientWidth + 1)"""


async def cut(page: Page) -> Sequence[str]:
    """What does not fit, as one may find it on the page."""
    found: Sequence[str] = await page.evaluate(_CUT)
    return found


@asynccontextmanager
async def reader(browser: Browser, stand: Stand, language: str) -> AsyncIterator[Page]:
    """Somebody who is signed in and has chosen a language."""
    context = await visitor(browser, locale=language)  # the start page knows no choice
    await context.add_cookies([language_cookie(language, stand.url)])
    if stand.world is not None:
        session = stand.world.console.context
        cookie = {"name": session.cookie, "value": session.sessions.start("olga"), "url": stand.url}
        await context.add_cookies([cookie])
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def opened(page: Page, stand: Stand, scene: Scene) -> None:
    """The scene, with everything open that can be opened; who comes to sign in is not signed in any more."""
    if scene.path == "/sign-in":
        await page.context.clear_cookies(name=stand.world.console.context.cookie if stand.world else None)
    await page.goto(f"{stand.url}{scene.path}")
    for selector, text in scene.typed:
        await page.fill(selector, text)
    for selector in scene.clicked:
        await page.click(selector)
    await expect(page.locator(".htmx-request")).to_have_count(0)
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


async def at_width(page: Page, width: int) -> None:
    """The page on a screen of that width, with its chart drawn anew."""
    await page.set_viewport_size({"width": width, "height": _HEIGHT})
    await page.wait_for_function(_CHARTS_FIT)
