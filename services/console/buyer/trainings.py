"""The buyer's list of trainings."""

from aiohttp import web

from services.console.access import page_of
from services.console.buyer.views import summaries
from services.console.pages import Reader
from services.console.section import Fragments


async def show_all(request: web.Request) -> web.StreamResponse:
    """All trainings, the newest first."""
    page = page_of(request)
    return page.render(
        "buyer/trainings.html",
        trainings=summaries(page.console.party.store),
        ordered="ordered" in request.query,
    )


def live_all(reader: Reader, _argument: str) -> Fragments:
    """The list as it is now."""
    return {"list": reader.fragment("buyer/_trainings.html", trainings=summaries(reader.party.store))}
