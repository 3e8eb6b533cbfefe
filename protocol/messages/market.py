"""What is on offer: a buyer asks an aggregator for the cards that its owners list, page by page."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from protocol.data_card import MOST_CARD_BYTES, MOST_CARDS, Cards, DataCard, cards_digest
from protocol.messages.catalogue import AGGREGATOR, BUYER, OPERATOR, Catalogue, MessageBody
from protocol.messages.examples import AGGREGATOR_ADDRESS, DIGEST, OTHER, TRAINER, any_card
from protocol.types import Address, Digest, FrozenModel

MOST_AGGREGATORS = 16
"""That one order names."""

MOST_PAGE_OWNERS = 256
MOST_PAGE_BYTES = 2 * MOST_CARD_BYTES
"""Of the cards on one page: as many as one owner may announce."""

_MOST_OWNER_BYTES = 128


class CardsOrder(MessageBody):
    """Operator → its own buyer's queue: ask these aggregators what their owners offer."""

    type: Literal["cards_order"] = "cards_order"
    aggregators: Annotated[tuple[Address, ...], Field(min_length=1, max_length=MOST_AGGREGATORS)]

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((OPERATOR, BUYER),),
        sent_when="By `deltaml market`, or a console.",
        example=lambda: CardsOrder(aggregators=(AGGREGATOR_ADDRESS,)),
    )


class CardsRequest(MessageBody):
    """MB → FA: what owners with an address above `after` offer; `known` (`cards_digest`) need no cards."""

    type: Literal["cards_request"] = "cards_request"
    after: Address | None = None
    known: Annotated[tuple[Digest, ...], Field(max_length=MOST_PAGE_OWNERS)] = ()

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((BUYER, AGGREGATOR),),
        sent_when="When the buyer's operator asks what is on offer, and after each page but the last.",
        answers=("cards_answer",),
        on_silence="What was told before stands. Who asks too often is not answered.",
        example=lambda: CardsRequest(after=TRAINER, known=(DIGEST,)),
    )


class OwnerCards(FrozenModel):
    """How many of a page's cards are this owner's; None where its offer, by its digest, is known."""

    owner: Address
    digest: Digest
    cards: Annotated[int, Field(ge=0, le=MOST_CARDS)] | None


class CardsAnswer(MessageBody):
    """FA → MB: a page of the offers of admitted owners, by address; the cards of one after another."""

    type: Literal["cards_answer"] = "cards_answer"
    after: Address | None
    owners: Annotated[tuple[OwnerCards, ...], Field(max_length=MOST_PAGE_OWNERS, fail_fast=True)]
    cards: Cards
    last: bool

    catalogue: ClassVar[Catalogue] = Catalogue(
        routes=((AGGREGATOR, BUYER),),
        sent_when="On each request for cards that does not come too often.",
        maximum_bytes=MOST_PAGE_BYTES + 2 * MOST_PAGE_OWNERS * _MOST_OWNER_BYTES,
        example=lambda: CardsAnswer(
            after=None,
            owners=(
                OwnerCards(owner=TRAINER, digest=cards_digest((any_card(),)), cards=1),
                OwnerCards(owner=OTHER, digest=DIGEST, cards=None),
            ),
            cards=(any_card(),),
            last=True,
        ),
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        before = "" if self.after is None else self.after
        for one in self.owners:
            if one.owner <= before:
                raise ValueError("owners must be in the order of their addresses, each once")
            before = one.owner
        if sum(one.cards or 0 for one in self.owners) != len(self.cards):
            raise ValueError("there are more cards, or fewer, than the owners are said to have")
        if not (self.owners or self.last):
            raise ValueError("a page without owners must be the last")
        for one, cards in self.offers():
            if cards is not None and cards_digest(cards) != one.digest:
                raise ValueError(f"the digest of {one.owner} is not that of its cards")
        return self

    def offers(self) -> Iterator[tuple[OwnerCards, tuple[DataCard, ...] | None]]:
        """Each owner with its cards; None for those that are known."""
        place = 0
        for one in self.owners:
            yield one, None if one.cards is None else self.cards[place : place + one.cards]
            place += one.cards or 0
