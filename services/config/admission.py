"""The section of a buyer's configuration that says which owners may take a seat in its trainings."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from protocol.admission_policy import (
    CARDS_DESCRIPTION,
    MOST_LISTED,
    WITH_CARDS,
    AdmissionPolicy,
    CardHash,
    Decision,
    require_lists_matter,
)
from protocol.types import Name
from services.common.addresses import party_address
from services.config.settings import Settings


class BuyerAdmission(Settings):
    """Which owners that the aggregator admits may take a seat; an order may say otherwise."""

    owners: tuple[Name, ...] = Field(
        (),
        max_length=MOST_LISTED,
        description=f"Admit these owners, by their addresses or `names`{WITH_CARDS}.",
    )
    cards: tuple[CardHash, ...] = Field(
        (),
        max_length=MOST_LISTED,
        description=CARDS_DESCRIPTION,
    )
    others: Decision = Field(
        "admit", description="All others: admit, refuse, or ask, so that a person decides about each."
    )

    @model_validator(mode="after")
    def _lists_matter(self) -> Self:
        require_lists_matter(self.others, self.owners, self.cards)
        return self

    def policy(self, names: Mapping[str, str]) -> AdmissionPolicy:
        """What it means where parties have these names, by address.

        Raises ConfigurationError for an owner that is neither.
        """
        owners = tuple(party_address(owner, names) for owner in self.owners)
        return AdmissionPolicy(owners=owners, cards=self.cards, others=self.others)
