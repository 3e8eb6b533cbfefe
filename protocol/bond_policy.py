"""An aggregator's standing decision: how much it deposits against its own faults for a training."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from protocol.terms import NATIVE, Terms, Token
from protocol.types import Address, BigInteger, FrozenModel, repeated

_Most = Annotated[BigInteger, Field(ge=0)]


class TokenBond(FrozenModel):
    """The most that is deposited as a bond in a token."""

    token: Address = Field(description="The token's address.")
    most_bond: _Most = Field(description="So many of its smallest units at most.")


class BondPolicy(FrozenModel):
    """The most bond of a training that is taken on; unless something is set, one without a bond alone."""

    most_bond_wei: _Most = Field(
        0, description="So much at most where a request pays in ether, in wei; 0 for no bond."
    )
    tokens: tuple[TokenBond, ...] = Field(
        (),
        max_length=1_000,
        fail_fast=True,
        description="The most in tokens; in others there is none.",
    )

    def accepts(self, terms: Terms) -> bool:
        """Whether the bond that the terms ask of the aggregator is deposited."""
        return terms.aggregator_bond <= self.most_bond(terms.token)

    def most_bond(self, token: Token) -> int:
        """In its smallest units."""
        listed = {bond.token: bond.most_bond for bond in self.tokens}
        return self.most_bond_wei if token == NATIVE else listed.get(token, 0)

    @model_validator(mode="after")
    def _each_token_once(self) -> Self:
        twice = repeated(bond.token for bond in self.tokens)
        if twice is not None:
            raise ValueError(f"token {twice} is listed twice")
        if any(bond.token == NATIVE for bond in self.tokens):
            raise ValueError("the chain's own coin is no token: give most_bond_wei")
        return self
