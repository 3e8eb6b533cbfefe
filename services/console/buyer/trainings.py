"""A buyer's trainings: how they go, what they cost, the models, and stopping one."""

from aiohttp import web

from protocol.messages import StopOrder
from services.console.buyer.views import Detail, detail, model_of, summaries
from services.console.presentation.rendering import Reader
from services.console.web.access import access, audit, page_of
from services.console.web.pages import Page, or_not_found
from services.console.web.trainings import TrainingPages, Values, paged


async def stop(request: web.Request) -> web.StreamResponse:
    """Order the daemon to stop the training."""
    page = page_of(request)
    training, form = _training(page), await page.form()
    number = training.summary.training
    if number is None or not training.stoppable:
        raise web.HTTPConflict
    reason = form.get("reason", "").strip()[:200] or page.reader.gettext("Stopped from the console")
    audit(request, training=number)
    await page.party.order(StopOrder(training=number, reason=reason), number)
    return page.redirect(f"/trainings/{training.summary.key}?stopping=1")


@access("operator")
async def download(request: web.Request) -> web.StreamResponse:
    """The model as a file."""
    page = page_of(request)
    summary = _training(page).summary
    model = or_not_found(model_of(page.store, summary.key))
    name = f"model-{summary.training}.json"
    return web.Response(
        text=model.model_dump_json(indent=2) + "\n",
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _training(page: Page) -> Detail:
    return or_not_found(detail(page.store, page.request.match_info["key"]))


def _values(reader: Reader, key: str) -> Values | None:
    store = reader.party.store
    training = detail(store, key)
    if training is None:
        return None
    return {"training": training, "model": model_of(store, key) if reader.operates else None}


PAGES = TrainingPages("buyer", paged(summaries), _values, ("status", "stopping", "figures", "model"))
