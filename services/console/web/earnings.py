"""What the party earned: a page, and every movement as a file; the same for owner and aggregator."""

from typing import Any

from aiohttp import web

from protocol.terms import NATIVE
from services.chain.errors import ChainError
from services.console.party import Party
from services.console.presentation.rendering import Reader
from services.console.web.access import page_of
from services.console.web.section import Fragments
from services.records.earnings import Account, accounts_of
from services.records.earnings_csv import earnings_csv
from services.records.owner_account import ordered_policy


async def show(request: web.Request) -> web.StreamResponse:
    """Credits by training, withdrawals, and what waits in the contract."""
    page = page_of(request)
    balance: int | None
    try:
        balance = await page.party.balance(NATIVE)
    except ChainError:
        balance = None
    return page.render("earnings/page.html", balance=balance, **_values(page.party))


async def download(request: web.Request) -> web.StreamResponse:
    """Every movement, exactly, as CSV; whoever may see the page gets it, since all of it is on the chain."""
    party = page_of(request).party
    return web.Response(
        text=earnings_csv(accounts(party), party.names, party.assets),
        content_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="earnings-{party.address}.csv"'},
    )


def live(reader: Reader) -> Fragments:
    """Everything but the account's own balance, which only the chain knows."""
    values = _values(reader.party)
    return {
        "credit": reader.fragment("earnings/_credit.html", **values),
        "history": reader.fragment("earnings/_history.html", **values),
    }


def accounts(party: Party) -> tuple[Account, ...]:
    """The party's accounts out of its store: in ether, and in each token that has come to it."""
    return accounts_of(party.store, party.role, party.address)


def _values(party: Party) -> dict[str, Any]:
    found = accounts(party)
    return {"accounts": found, "automatic": _is_automatic(party)}


def _is_automatic(party: Party) -> bool:
    """Whether the daemon withdraws by itself: an owner's policy says so, an aggregator always does."""
    if party.role != "data_owner":
        return True
    return (ordered_policy(party.store) or party.owner.configured).withdraw
