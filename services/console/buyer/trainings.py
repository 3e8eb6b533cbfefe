"""The buyer's list of trainings."""

from aiohttp import web

from services.console.buyer.views import summaries
from services.console.presentation.rendering import Reader
from services.console.web.access import page_of
from services.console.web.section import LISTED, Fragments, page_number


async def show_all(request: web.Request) -> web.StreamResponse:
    """The newest trainings, or a page of older ones."""
    page, number = page_of(request), page_number(request)
    found = summaries(page.store, LISTED + 1, number * LISTED)
    return page.render(
        "buyer/trainings.html",
        trainings=found[:LISTED],
        number=number,
        more=len(found) > LISTED,
        ordered="ordered" in request.query,
    )


def live_all(reader: Reader, _argument: str) -> Fragments:
    """The list as it is now."""
    return {"list": reader.fragment("buyer/_trainings.html", trainings=summaries(reader.party.store))}
