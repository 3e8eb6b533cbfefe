"""What is on offer: the cards that aggregators told of, and asking them again."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aiohttp import web

from protocol.messages import CardsOrder
from protocol.messages.market import MOST_AGGREGATORS
from protocol.request import Request
from services.common.addresses import is_address, plain_address
from services.common.errors import ConfigurationError
from services.console.presentation.i18n import gettext_noop as _
from services.console.web.access import audit, page_of
from services.console.web.orders import PATIENCE_SECONDS, give
from services.console.web.pages import Page
from services.records.market_offers import columns_of, listed_by, match
from services.records.offers import askings

MOST_SHOWN = 200
"""Cards, and columns, on the page; the command shows all."""


async def show(request: web.Request) -> web.StreamResponse:
    """Cards and columns, and who told of them when."""
    page = page_of(request)
    aggregators = known_aggregators(page)
    cards = listed_by(page.store, aggregators)
    return page.render(
        "buyer/offers.html",
        askings={one: askings(page.store).get(one) for one in aggregators},
        cards=cards,
        columns=columns_of(cards),
        most_shown=MOST_SHOWN,
    )


async def ask(request: web.Request) -> web.StreamResponse:
    """Have the daemon ask one aggregator, or all that are known."""
    page = page_of(request)
    text = (await page.form()).get("aggregator", "").strip()
    try:
        address = plain_address(text)
    except ConfigurationError:
        address = ""
    chosen = (address,) if text else known_aggregators(page)
    if not (chosen and all(map(is_address, chosen))):
        advice = _("Give an aggregator's address: 0x and 40 hexadecimal digits.")
        return page.problem(422, _("Nobody can be asked"), advice)
    audit(request, aggregators=len(chosen))
    await give(page, CardsOrder(aggregators=chosen))
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await _told(page, chosen)
    return page.redirect("/offers")


async def _told(page: Page, aggregators: tuple[str, ...]) -> None:
    """Wait until all of them have told everything; the page shows later what comes later."""
    while not _have_told(page, aggregators):  # noqa: ASYNC110  the store tells nobody
        await asyncio.sleep(0.05)


def _have_told(page: Page, aggregators: tuple[str, ...]) -> bool:
    progress = askings(page.store)
    return all(one in progress and progress[one].told_at is not None for one in aggregators)


def known_aggregators(page: Page) -> tuple[str, ...]:
    """Those of the configuration, and others that were asked: as many as one order may name."""
    return tuple(dict.fromkeys((*page.party.aggregators, *askings(page.store))))[:MOST_AGGREGATORS]


def reach(page: Page, wanted: Request | None) -> Mapping[str, Any]:
    """Which owners a request would reach; None where its aggregator has told nothing."""
    told = None if wanted is None else askings(page.store).get(wanted.aggregator)
    if wanted is None or told is None:
        return {"reach": None}
    return {"reach": match(wanted, page.store, (wanted.aggregator,))}
