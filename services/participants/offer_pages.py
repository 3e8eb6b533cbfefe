"""An aggregator's answers about what its owners offer: a page at a time, and not too often."""

from collections.abc import Callable, Collection, Iterable

from protocol.codec import unpack
from protocol.data_card import MOST_CARDS, DataCard
from protocol.messages import CardsAnswer, CardsRequest, OwnerCards
from protocol.messages.market import MOST_PAGE_BYTES, MOST_PAGE_OWNERS
from protocol.preparation.values import MOST_LEVELS_TOGETHER
from services.common.shares import Shares
from services.records.offers import Offer, stored_offers
from services.store import Store

PAGES_AT_ONCE, _MORE_PER_SECOND = 32, 1 / 60
"""Of each buyer: a market of two thousand owners, or of eight thousand whose cards it knows."""


class OfferPages:
    """What one aggregator has to tell of its owners' cards."""

    def __init__(self, store: Store, shares: Shares | None = None) -> None:
        """`shares` bound how often each buyer is answered."""
        self._store, self._shares = store, shares or Shares(PAGES_AT_ONCE, _MORE_PER_SECOND)

    def answer(
        self, buyer: str, asked: CardsRequest, admitted: Callable[[], Collection[str]]
    ) -> CardsAnswer | None:
        """The page that a buyer asks for, of the owners that are `admitted`; None for one who asks too often.

        Nothing is read for who is not answered.
        """
        if not self._shares.take(buyer):
            return None
        owners, after = frozenset(admitted()), asked.after or ""
        listed = ((who, content) for who, content in stored_offers(self._store) if who > after)
        return page_of(asked, ((who, content) for who, content in listed if who in owners))


def page_of(asked: CardsRequest, stored: Iterable[tuple[str, bytes]]) -> CardsAnswer:
    """As many of the stored offers, by owner in the order of addresses, as go on a page."""
    known = frozenset(asked.known)
    owners: list[OwnerCards] = []
    cards: list[DataCard] = []
    size = levels = 0
    for owner, content in stored:
        offer = unpack(Offer, content)
        new = () if offer.digest in known else tuple(one.card for one in offer.cards)
        size += len(content) if new else 0
        levels += sum(card.levels for card in new)
        is_full = (
            len(cards) + len(new) > MOST_CARDS or size > MOST_PAGE_BYTES or levels > MOST_LEVELS_TOGETHER
        )
        if len(owners) == MOST_PAGE_OWNERS or (cards and is_full):
            return CardsAnswer(after=asked.after, owners=tuple(owners), cards=tuple(cards), last=False)
        count = None if offer.digest in known else len(new)
        owners.append(OwnerCards(owner=owner, digest=offer.digest, cards=count))
        cards.extend(new)
    return CardsAnswer(after=asked.after, owners=tuple(owners), cards=tuple(cards), last=True)
