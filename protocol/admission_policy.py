"""A buyer's standing decision: which owners that its aggregator admits may take a seat."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from protocol.types import Address, FrozenModel

MOST_LISTED = 10_000


def _plain(value: object) -> object:
    return value.lower().removeprefix("0x") if isinstance(value, str) and len(value) < 80 else value


CardHash = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{64}$", max_length=64), BeforeValidator(_plain)
]
"""The hash of a data set's card (`DataCard.hash`) in hexadecimal, as commands and pages tell it."""

Decision = Literal["admit", "ask", "refuse"]

WITH_CARDS = ", where cards are listed too only with one of those"
CARDS_DESCRIPTION = (
    "Admit whoever says that it joins with a data set of these cards, by their hashes; where owners are "
    "listed too, those alone. A card's hash is the owner's own word and keeps no dishonest owner out: list "
    "owners for that."
)


def require_lists_matter(others: Decision, owners: Sequence[str], cards: Sequence[str]) -> None:
    """Raise ValueError where a list admits somebody and everybody else is admitted too."""
    if others == "admit" and (owners or cards):
        raise ValueError(
            "owners or cards are listed, and all others are admitted too (others: admit); say others: refuse "
            "or others: ask, or leave the lists out"
        )


class AdmissionPolicy(FrozenModel):
    """Whom a buyer admits unasked. Without lists everybody whom its aggregator admits.

    A card's hash is what an owner says of itself: a list of cards alone keeps no dishonest owner out. Beside
    a list of owners it narrows that one.
    """

    owners: tuple[Address, ...] = Field(
        (), max_length=MOST_LISTED, fail_fast=True, description=f"Admit these owners{WITH_CARDS}."
    )
    cards: tuple[CardHash, ...] = Field(
        (),
        max_length=MOST_LISTED,
        fail_fast=True,
        description=CARDS_DESCRIPTION,
    )
    others: Decision = Field(
        "admit", description="All others: admit, refuse, or ask, so that a person decides about each."
    )

    @model_validator(mode="after")
    def _lists_matter(self) -> Self:
        require_lists_matter(self.others, self.owners, self.cards)
        return self

    def decision(self, owner: str, card: bytes) -> Decision:
        """What becomes of an owner that would join with the data set whose card has this hash."""
        fits_owners = not self.owners or owner in self.owners
        fits_cards = not self.cards or card.hex() in self.cards
        has_list = bool(self.owners or self.cards)
        return "admit" if has_list and fits_owners and fits_cards else self.others
