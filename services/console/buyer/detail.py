"""One training of a buyer: how it goes, what it costs, the model, and stopping it."""

from aiohttp import web

from protocol.messages import StopOrder
from services.console.buyer.views import Detail, detail, model_of
from services.console.presentation.rendering import Reader
from services.console.web.access import access, audit, page_of
from services.console.web.pages import Page
from services.console.web.section import Fragments

_PARTS = {
    "status": "buyer/training/status.html",
    "stopping": "buyer/training/stopping.html",
    "figures": "buyer/training/figures.html",
    "curve": "training/curve.html",
    "partners": "training/partners.html",
    "model": "buyer/training/model.html",
    "transactions": "training/transactions.html",
    "timeline": "training/timeline.html",
}


async def show(request: web.Request) -> web.StreamResponse:
    """The page."""
    page = page_of(request)
    found = _found(page)
    model = model_of(page.store, found.summary.key) if page.reader.operates else None
    return page.render("buyer/training.html", training=found, model=model)


def live(reader: Reader, key: str) -> Fragments | None:
    """All parts of the page as they are now."""
    found = detail(reader.party.store, key)
    if found is None:
        return None
    model = model_of(reader.party.store, key) if reader.operates else None
    return {part: reader.fragment(place, training=found, model=model) for part, place in _PARTS.items()}


async def stop(request: web.Request) -> web.StreamResponse:
    """Order the daemon to stop the training."""
    page = page_of(request)
    found, form = _found(page), await request.post()
    number = found.summary.training
    if number is None or not found.stoppable:
        raise web.HTTPConflict
    reason = str(form.get("reason", "")).strip()[:200] or page.reader.gettext("Stopped on the console")
    audit(request, training=number)
    await page.party.order(StopOrder(training=number, reason=reason), number)
    return page.redirect(f"/trainings/{found.summary.key}?stopping=1")


@access("operator")
async def download(request: web.Request) -> web.StreamResponse:
    """The model as a file."""
    page = page_of(request)
    found = _found(page)
    model = model_of(page.store, found.summary.key)
    if model is None:
        raise web.HTTPNotFound
    name = f"model-{found.summary.training}.json"
    return web.Response(
        text=model.model_dump_json(indent=2) + "\n",
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _found(page: Page) -> Detail:
    found = detail(page.store, page.request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return found
