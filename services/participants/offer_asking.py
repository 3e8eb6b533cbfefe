"""A buyer's questions to aggregators about what is on offer, and what it keeps of their answers."""

import time
from collections.abc import Callable, Mapping
from itertools import islice

from protocol.codec import pack
from protocol.errors import ProtocolViolation
from protocol.messages import CardsAnswer, CardsOrder, CardsRequest
from protocol.messages.market import MOST_PAGE_OWNERS
from services.records.offers import (
    Asking,
    Offer,
    ToldOffer,
    asking_of,
    asking_value,
    told_name,
    told_offers,
)
from services.runtime.role_adapter import Answer
from services.store import Store

MOST_PAGES = 128
MOST_OWNERS, MOST_BYTES = 10_000, 1 << 26
"""What is kept of one aggregator's word at most."""


class OfferAsking:
    """One buyer's; it believes no answer that it has not asked for."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds."""
        self._store, self._clock = store, clock

    def ordered(self, order: CardsOrder, message_id: bytes) -> Answer:
        """Ask each aggregator, from the first page on."""
        asking = Asking(order=message_id, asked_at=int(self._clock()))
        values: dict[str, bytes | None] = {}
        for aggregator in order.aggregators:
            values |= asking_value(aggregator, asking)
        known = {one: told_offers(self._store, one) for one in order.aggregators}
        return Answer(tuple((one, _request(told, None)) for one, told in known.items()), values)

    def answered(self, aggregator: str, page: CardsAnswer) -> Answer:
        """Keep a page, which takes the place of all that was told of its owners, and ask for the next.

        Raises ProtocolViolation for a page that was not asked for, or with which there is too much to keep.
        """
        asking = asking_of(self._store, aggregator)
        if asking is None or asking.told_at is not None or asking.after != page.after:
            raise ProtocolViolation("not_asked", "no such page of cards was asked for")
        told, now = told_offers(self._store, aggregator), int(self._clock())
        changes = _changes(told, page, now)
        _require_room({**told, **changes})
        is_last = page.last or asking.pages + 1 >= MOST_PAGES
        after = page.owners[-1].owner if page.owners else page.after
        progress = {"after": after, "pages": asking.pages + 1, "told_at": now if is_last else None}
        values: dict[str, bytes | None] = {
            told_name(aggregator, owner): None if one is None else pack(one) for owner, one in changes.items()
        }
        values |= asking_value(aggregator, asking.model_copy(update=progress))
        return Answer(() if is_last else ((aggregator, _request(told, after)),), values)


def _request(told: Mapping[str, ToldOffer], after: str | None) -> CardsRequest:
    there = (one.digest for owner, one in told.items() if owner > (after or ""))
    return CardsRequest(after=after, known=tuple(islice(there, MOST_PAGE_OWNERS)))


def _changes(told: Mapping[str, ToldOffer], page: CardsAnswer, now: int) -> dict[str, ToldOffer | None]:
    """By owner what is told of it from now on; None for those that the page passes over."""
    until = "~" if page.last else page.owners[-1].owner
    changes: dict[str, ToldOffer | None] = {
        owner: None for owner in told if (page.after or "") < owner <= until
    }
    contents = {one.digest: one.content for one in told.values()}
    for one, cards in page.offers():
        content = contents.get(one.digest) if cards is None else pack(Offer.of(cards))
        if content is None:
            raise ProtocolViolation("not_known", f"no cards of {one.owner} with this digest are known")
        changes[one.owner] = ToldOffer(digest=one.digest, at=now, content=content)
    return changes


def _require_room(told: Mapping[str, ToldOffer | None]) -> None:
    kept = [one for one in told.values() if one is not None]
    size = sum(len(one.content) for one in kept)
    if len(kept) > MOST_OWNERS or size > MOST_BYTES:
        raise ProtocolViolation(
            "too_many_cards",
            f"{len(kept)} owners with {size} bytes; at most {MOST_OWNERS} with {MOST_BYTES} are kept",
        )
