"""The aggregator's trainings, to look at: its operator stops one with the command line."""

from aiohttp import web

from services.console.access import page_of
from services.console.aggregator.views import detail, summaries
from services.console.pages import Reader
from services.console.section import Fragments

_PARTS = {
    "status": "aggregator/training/status.html",
    "figures": "aggregator/training/figures.html",
    "work": "aggregator/training/work.html",
    "answers": "aggregator/training/answers.html",
    "curve": "training/curve.html",
    "partners": "training/partners.html",
    "transactions": "training/transactions.html",
    "timeline": "training/timeline.html",
}


async def show_all(request: web.Request) -> web.StreamResponse:
    """All trainings, the newest change first."""
    page = page_of(request)
    return page.render("aggregator/trainings.html", trainings=summaries(page.console.party.store))


def live_all(reader: Reader, _argument: str) -> Fragments:
    """The list as it is now."""
    return {"list": reader.fragment("aggregator/_trainings.html", trainings=summaries(reader.party.store))}


async def show(request: web.Request) -> web.StreamResponse:
    """One training."""
    page = page_of(request)
    found = detail(page.console.party.store, request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return page.render("aggregator/training.html", training=found)


def live(reader: Reader, key: str) -> Fragments | None:
    """All parts of a training's page as they are now."""
    found = detail(reader.party.store, key)
    if found is None:
        return None
    return {part: reader.fragment(place, training=found) for part, place in _PARTS.items()}
