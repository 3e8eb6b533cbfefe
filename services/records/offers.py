"""What an aggregator's store remembers of the data that its owners offer: their cards, with hashes."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from protocol.codec import pack, unpack
from protocol.data_card import MOST_CARDS, DataCard
from protocol.types import Digest, FrozenModel
from services.store import Store

_OFFERED = "offered:"


class OfferedCard(FrozenModel):
    """A card as it was announced, and its hash."""

    hash: Digest
    card: DataCard


class Offer(FrozenModel):
    """All cards that one owner lists."""

    cards: Annotated[tuple[OfferedCard, ...], Field(max_length=MOST_CARDS)]


def offered(owner: str, cards: tuple[DataCard, ...]) -> dict[str, bytes]:
    """The value to remember of an owner's announcement: it takes the place of an earlier one."""
    offer = Offer(cards=tuple(OfferedCard(hash=card.hash(), card=card) for card in cards))
    return {_OFFERED + owner: pack(offer)}


def offers(store: Store) -> Mapping[str, Offer]:
    """What each owner offers that has announced itself, by its address."""
    return {owner: unpack(Offer, content) for owner, content in store.values(_OFFERED).items()}
