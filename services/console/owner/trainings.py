"""The list of trainings."""

from aiohttp import web

from services.console.access import page_of
from services.console.pages import Reader
from services.console.section import Fragments


async def show_all(request: web.Request) -> web.StreamResponse:
    """All trainings, the newest first."""
    page = page_of(request)
    rows = reversed(page.console.party.store.instances())
    return page.render("owner/trainings.html", trainings=list(rows))


def live_all(reader: Reader, _argument: str) -> Fragments:
    """The list as it is now."""
    rows = reversed(reader.party.store.instances())
    return {"list": reader.fragment("owner/_trainings.html", trainings=list(rows))}
