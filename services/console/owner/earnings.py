"""Having what the owner earned paid out."""

from aiohttp import web

from protocol.messages import WithdrawOrder
from services.console.web.access import page_of
from services.console.web.earnings import account
from services.console.web.orders import give


async def withdraw(request: web.Request) -> web.StreamResponse:
    """Have the daemon withdraw the credit."""
    page = page_of(request)
    if not account(page.party).credit:
        raise web.HTTPConflict
    await give(page, WithdrawOrder())
    return page.redirect("/earnings?asked=1")
