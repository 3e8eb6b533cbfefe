"""What the owner has earned, and having it paid out."""

from aiohttp import web

from protocol.messages import WithdrawOrder
from services.chain.errors import ChainError
from services.console.owner.account_views import earnings
from services.console.presentation.rendering import Reader
from services.console.web.access import page_of
from services.console.web.orders import give
from services.console.web.section import Fragments


async def show(request: web.Request) -> web.StreamResponse:
    """Credits by training, withdrawals, and what waits in the contract."""
    page = page_of(request)
    balance: int | None
    try:
        balance = await page.party.balance()
    except ChainError:
        balance = None
    return page.render("owner/earnings.html", money=earnings(page.party), balance=balance)


def live(reader: Reader) -> Fragments:
    """Everything but the account's own balance, which only the chain knows."""
    money = earnings(reader.party)
    return {
        "credit": reader.fragment("owner/_credit.html", money=money),
        "history": reader.fragment("owner/_earnings.html", money=money),
    }


async def withdraw(request: web.Request) -> web.StreamResponse:
    """Have the daemon withdraw the credit."""
    page = page_of(request)
    if not earnings(page.party).credit:
        raise web.HTTPConflict
    await give(page, WithdrawOrder())
    return page.redirect("/earnings?asked=1")
