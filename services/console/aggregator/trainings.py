"""The aggregator's trainings, to look at: its operator stops one with the command line."""

from aiohttp import web

from services.console.aggregator.views import detail, summaries
from services.console.presentation.rendering import Reader
from services.console.web.access import page_of
from services.console.web.section import LISTED, Fragments, page_number

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
    """The newest trainings, or a page of older ones."""
    page, number = page_of(request), page_number(request)
    found = summaries(page.store, LISTED + 1, number * LISTED)
    return page.render(
        "aggregator/trainings.html",
        trainings=found[:LISTED],
        number=number,
        more=len(found) > LISTED,
    )


def live_all(reader: Reader, _argument: str) -> Fragments:
    """The list as it is now."""
    return {"list": reader.fragment("aggregator/_trainings.html", trainings=summaries(reader.party.store))}


async def show(request: web.Request) -> web.StreamResponse:
    """One training."""
    page = page_of(request)
    found = detail(page.store, request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return page.render("aggregator/training.html", training=found)


def live(reader: Reader, key: str) -> Fragments | None:
    """All parts of a training's page as they are now."""
    found = detail(reader.party.store, key)
    if found is None:
        return None
    return {part: reader.fragment(place, training=found) for part, place in _PARTS.items()}
