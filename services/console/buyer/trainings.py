"""A buyer's trainings: how they go, what they cost, the models, and stopping one."""

from aiohttp import web

from protocol.messages import AdmissionOrder, StopOrder
from services.console.buyer.views import Training
from services.console.presentation.model_card import FORMATS
from services.console.web.access import access, audit, page_of
from services.console.web.orders import give
from services.console.web.pages import Page, or_not_found
from services.console.web.trainings import TrainingPages, paged
from services.records.model_card import model_card


async def stop(request: web.Request) -> web.StreamResponse:
    """Order the daemon to stop the training."""
    page = page_of(request)
    training, form = _training(page), await page.form()
    number = training.row.training
    if number is None or not training.stoppable:
        raise web.HTTPConflict
    reason = form.get("reason", "").strip()[:200] or page.reader.gettext("Stopped from the console")
    audit(request, training=number)
    await give(page, StopOrder(training=number, reason=reason), number)
    return page.redirect(f"/trainings/{training.row.key}?stopping=1")


async def admit(request: web.Request) -> web.StreamResponse:
    """Have the daemon admit an owner that waits, or refuse it."""
    page = page_of(request)
    training, form = _training(page), await page.form()
    applicant = next((one for one in training.applicants if one.owner == form.get("owner")), None)
    decision = form.get("decision")
    if applicant is None or not applicant.waits or decision not in ("admit", "refuse"):
        raise web.HTTPConflict
    audit(request, training=applicant.training, owner=applicant.owner, decision=decision)
    order = AdmissionOrder(training=applicant.training, owner=applicant.owner, admit=decision == "admit")
    await give(page, order, applicant.training)
    return page.redirect(f"/trainings/{training.row.key}")


@access("operator")
async def download(request: web.Request) -> web.StreamResponse:
    """The model as a file."""
    training = _training(page_of(request))
    model = or_not_found(training.model)
    name = f"model-{training.row.training}.json"
    return web.Response(
        text=model.model_dump_json(indent=2) + "\n",
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def card(request: web.Request) -> web.StreamResponse:
    """The model's card as a file; everything on it is public, so viewers get it too."""
    page = page_of(request)
    training = _training(page)
    suffix = request.match_info["suffix"]
    content_type, written = or_not_found(FORMATS.get(suffix))
    or_not_found(training.model)
    party = page.party
    content = model_card(page.store, training.row, party.market, party.names, party.assets)
    name = f"model-card-{training.row.training}{suffix}"
    return web.Response(
        text=written(content, page.reader.language),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _training(page: Page) -> Training:
    return or_not_found(Training.find(page.party, page.request.match_info["key"]))


PAGES = TrainingPages(
    "buyer",
    paged(Training.newest),
    Training.find,
    ("status", "stopping", "figures", "admissions", "model", "scores"),
)
