"""What is on offer: the cards that aggregators told of, and asking them again."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from protocol.messages import CardsOrder
from protocol.messages.market import MOST_AGGREGATORS
from protocol.reason import Reason
from protocol.request import Request
from services.common.addresses import is_address, plain_address
from services.common.errors import ConfigurationError
from services.console.buyer.views import Training
from services.console.presentation.i18n import gettext_noop as _
from services.console.web.access import audit, page_of
from services.console.web.orders import PATIENCE_SECONDS, give
from services.console.web.pages import Page, or_not_found
from services.records.market_offers import ListedCard, Match, columns_of, listed_by, match
from services.records.offers import askings

MOST_SHOWN = 200
"""Cards, and columns, on the page; the command shows all."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A card on the page; `reasons` are those against it for the request at hand, None where there is none.

    `is_elsewhere`: it is listed, but not with the request's aggregator.
    """

    listed: ListedCard
    reasons: tuple[Reason, ...] | None = None
    is_elsewhere: bool = False

    @property
    def serves(self) -> bool:
        """Whether its owner could take part."""
        return not self.reasons and not self.is_elsewhere


async def show(request: web.Request) -> web.StreamResponse:
    """Cards and columns, who told of them when, and which of them serve an ordered request."""
    page = page_of(request)
    aggregators = known_aggregators(page)
    cards = listed_by(page.store, aggregators)
    key = request.query.get("request", "")
    chosen = or_not_found(Training.find(page.party, key)) if key else None
    wanted = None if chosen is None else chosen.state.request
    compared = None if wanted is None else match(wanted, page.store, (wanted.aggregator,))
    return page.render(
        "buyer/offers.html",
        askings={one: askings(page.store).get(one) for one in aggregators},
        offers=offers_beside(cards, compared),
        columns=columns_of(cards),
        most_shown=MOST_SHOWN,
        trainings=Training.newest(page.party),
        chosen=chosen,
        request=wanted,
        reach=compared,
    )


def offers_beside(cards: Iterable[ListedCard], compared: Match | None) -> tuple[Offer, ...]:
    """The cards as they are; or beside a request, those first that serve it, and why the others do not."""
    if compared is None:
        return tuple(map(Offer, cards))
    found = {(one.listed.owner, one.listed.hash): one.reasons for one in compared.cards}
    offers = []
    for card in cards:
        reasons = found.get((card.owner, card.hash))
        offers.append(Offer(card, reasons or (), is_elsewhere=reasons is None))
    return tuple(sorted(offers, key=lambda one: not one.serves))


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
