"""Having what the owner earned paid out."""

from aiohttp import web

from protocol.messages import WithdrawOrder
from protocol.terms import NATIVE
from services.console.web.access import page_of
from services.console.web.earnings import accounts
from services.console.web.orders import give


async def withdraw(request: web.Request) -> web.StreamResponse:
    """Have the daemon withdraw the credit."""
    page = page_of(request)
    token = (await page.form()).get("token", NATIVE)
    if not any(one.credit or one.unclaimed for one in accounts(page.party) if one.token == token):
        raise web.HTTPConflict
    await give(page, WithdrawOrder(token=token))
    return page.redirect("/earnings?asked=1")
