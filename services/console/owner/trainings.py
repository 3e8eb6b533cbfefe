"""An owner's trainings: the list, one of them, and the decision about it."""

from typing import Any

from aiohttp import web

from protocol.messages import OwnerDecision
from services.console.owner.views import MOST_LISTED, Detail, detail, summaries
from services.console.party import Party
from services.console.presentation.rendering import Reader
from services.console.web.access import audit, page_of
from services.console.web.pages import Page
from services.console.web.section import Fragments

_PARTS = {
    "status": "owner/training/status.html",
    "figures": "owner/training/figures.html",
    "decision": "owner/training/decision.html",
    "curve": "training/curve.html",
    "transactions": "training/transactions.html",
    "timeline": "training/timeline.html",
}


async def show_all(request: web.Request) -> web.StreamResponse:
    """All trainings, those that wait for a decision first."""
    page = page_of(request)
    return page.render("owner/trainings.html", **_listed(page.reader))


def live_all(reader: Reader, _argument: str) -> Fragments:
    """The list as it is now."""
    return {"list": reader.fragment("owner/_trainings.html", **_listed(reader))}


async def show(request: web.Request) -> web.StreamResponse:
    """One training."""
    page = page_of(request)
    return page.render("owner/training.html", training=_found(page), sent=request.query.get("sent", ""))


def live(reader: Reader, key: str) -> Fragments | None:
    """All parts of the page as they are now."""
    found = _detail(reader.party, key)
    if found is None:
        return None
    return {part: reader.fragment(place, training=found) for part, place in _PARTS.items()}


async def accept(request: web.Request) -> web.StreamResponse:
    """Have the daemon join with the chosen data set; beyond its budget only where that was ticked."""
    page = page_of(request)
    found, form = _waiting(page), await request.post()
    chosen = str(form.get("data_set", ""))
    match = next((one for one in found.serving if one.data_set == chosen), None)
    if match is None:
        raise web.HTTPConflict
    beyond = form.get("beyond_budget") == "yes"
    if match.standing.is_exhausted and not beyond:
        return _over_budget(page)
    number = found.summary.training
    audit(request, training=number, data_set=chosen, beyond_budget=beyond)
    decision = OwnerDecision(training=number, accept=True, data_set=chosen, beyond_budget=beyond)
    await page.party.order(decision, number)
    return page.redirect(f"/trainings/{found.summary.key}?sent=accept")


async def decline(request: web.Request) -> web.StreamResponse:
    """Have the daemon decline."""
    page = page_of(request)
    found = _waiting(page)
    number = found.summary.training
    audit(request, training=number)
    await page.party.order(OwnerDecision(training=number, accept=False), number)
    return page.redirect(f"/trainings/{found.summary.key}?sent=decline")


def _over_budget(page: Page) -> web.Response:
    gettext = page.reader.gettext
    template = "problem.html" if "HX-Request" in page.request.headers else "error.html"
    return page.render(
        template,
        status=422,
        title=gettext("The budget of this data set is used up"),
        advice=gettext("Nothing was sent. Tick the box to join all the same, or raise the budget."),
    )


def _listed(reader: Reader) -> dict[str, Any]:
    found = summaries(reader.party.store, reader.party.address)
    return {"trainings": found, "more": sum(not one.asks for one in found) >= MOST_LISTED}


def _detail(party: Party, key: str) -> Detail | None:
    return detail(party.store, party.desk, party.address, key)


def _found(page: Page) -> Detail:
    found = _detail(page.party, page.request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return found


def _waiting(page: Page) -> Detail:
    """A training that waits for a decision; 409 for one that does not any more."""
    found = _found(page)
    if not found.summary.asks:
        raise web.HTTPConflict
    return found
