"""The data that owners offer, as stores remember it: their cards, with hashes.

An aggregator has them from its owners. A buyer has what its aggregators told, and by whose order it asked.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field

from protocol.codec import pack, unpack
from protocol.data_card import MOST_CARDS, DataCard
from protocol.types import Address, Digest, FrozenModel, MessageId, digest_of
from services.store import Store

_OFFERED, _TOLD, _ASKED = "offered:", "told:", "asked:"


FRESH_SECONDS = 60.0
"""An aggregator that has told what is on offer need not be asked again before."""


class OfferedCard(FrozenModel):
    """A card as it was announced, and its hash."""

    hash: Digest
    card: DataCard


class Offer(FrozenModel):
    """All cards that one owner lists."""

    cards: Annotated[tuple[OfferedCard, ...], Field(max_length=MOST_CARDS)]

    @classmethod
    def of(cls, cards: tuple[DataCard, ...]) -> Self:
        """The offer of these cards."""
        return cls(cards=tuple(OfferedCard(hash=card.hash(), card=card) for card in cards))

    @property
    def digest(self) -> Digest:
        """The `cards_digest` of the cards."""
        return digest_of(*(one.hash for one in self.cards))


def offered(owner: str, offer: Offer) -> dict[str, bytes]:
    """The value to remember of an owner's announcement: it takes the place of an earlier one."""
    return {_OFFERED + owner: pack(offer)}


def stored_offers(store: Store) -> Iterator[tuple[str, bytes]]:
    """Each owner in the order of addresses with its offer as it is stored: an `Offer`, packed."""
    return iter(store.values(_OFFERED).items())


class ToldOffer(FrozenModel):
    """What an aggregator told that an owner offers, when it did last, and the digest of the cards.

    `content` is an `Offer`, packed: all digests are looked at for each page. `at` is in Unix seconds.
    """

    digest: Digest
    at: int
    content: Annotated[bytes, Field(repr=False)]

    @property
    def cards(self) -> tuple[OfferedCard, ...]:
        """The cards that the owner lists."""
        return unpack(Offer, self.content).cards


class Asking(FrozenModel):
    """How far an aggregator's answer has come: all offers up to the owner `after`.

    `order` is the message id of the order to ask; `told_at` says when the last page came, None before it.
    """

    order: MessageId
    asked_at: int
    after: Address | None = None
    pages: int = 0
    told_at: int | None = None


def told_name(aggregator: str, owner: str) -> str:
    """Under which name a buyer's store remembers what an aggregator told of an owner."""
    return f"{_TOLD}{aggregator}:{owner}"


def asking_value(aggregator: str, asking: Asking) -> dict[str, bytes]:
    """The value to remember of how far an answer has come."""
    return {_ASKED + aggregator: pack(asking)}


def askings(store: Store) -> Mapping[str, Asking]:
    """How far the last answer of each aggregator has come that was ever asked."""
    return {aggregator: unpack(Asking, content) for aggregator, content in store.values(_ASKED).items()}


def asking_of(store: Store, aggregator: str) -> Asking | None:
    """How far the last answer of an aggregator has come; None for one that was never asked."""
    return askings(store).get(aggregator)


def told_offers(store: Store, aggregator: str) -> Mapping[str, ToldOffer]:
    """By owner, in the order of addresses, what an aggregator told that it offers."""
    told = store.values(told_name(aggregator, ""))
    return {owner: unpack(ToldOffer, content) for owner, content in told.items()}
