"""An owner's standing decision: what to join unasked, and how much of its data may be published."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from protocol.payment import least_fixed_pay
from protocol.request import Request
from protocol.terms import LONGEST_REVEAL_SECONDS, NATIVE, Token
from protocol.types import Address, BigInteger, FrozenModel, Name, repeated

LARGEST_LIMIT = 1_000_000
NumberLimit = Annotated[int, Field(ge=0, le=LARGEST_LIMIT)]


class Limit(FrozenModel):
    """How many numbers may be published about one data set: to one buyer, or, without one, in all."""

    data_set: Name = Field(description="The data set's name in the catalogue.")
    buyer: Address | None = Field(None, description="For this buyer; left out, for all buyers together.")
    numbers: NumberLimit = Field(description="So many published numbers, 0 for none.")


class Budget(FrozenModel):
    """How many numbers that tell about a data set its trainings may publish, over its whole life.

    `per_buyer` and `in_total` hold for every data set; None is the figure that a count of equations gives for
    the request at hand (`roles/owner/default_budget.py`). `limits` come before both.
    """

    per_buyer: NumberLimit | None = Field(None, description="For each buyer; null for a count of equations.")
    in_total: NumberLimit | None = Field(
        None, description="For all buyers together; null for a count of equations."
    )
    limits: tuple[Limit, ...] = Field(
        (), max_length=10_000, fail_fast=True, description="Other limits for single data sets."
    )

    def limit_of(self, data_set: str, buyer: str | None) -> int | None:
        """What is set for a data set and a buyer, or for all buyers together (None); None when nothing is."""
        for limit in self.limits:
            if limit.data_set == data_set and limit.buyer == buyer:
                return limit.numbers
        return self.in_total if buyer is None else self.per_buyer

    def with_limit(self, data_set: str, buyer: str | None, numbers: int | None) -> "Budget":
        """The budget with another limit for a data set and a buyer; None takes it away."""
        others = tuple(limit for limit in self.limits if (limit.data_set, limit.buyer) != (data_set, buyer))
        new = () if numbers is None else (Limit(data_set=data_set, buyer=buyer, numbers=numbers),)
        return Budget(per_buyer=self.per_buyer, in_total=self.in_total, limits=(*others, *new))


class TokenPay(FrozenModel):
    """A token that an owner takes, the least fixed pay for which its policy joins, and the most bond."""

    token: Address = Field(description="The token's address.")
    minimum_pay: Annotated[BigInteger, Field(ge=0)] = Field(
        0, description="Only for this least fixed pay or more, in the token's smallest units."
    )
    most_bond: Annotated[BigInteger, Field(ge=0)] = Field(
        0, description="Only if no more than this is to be deposited as a bond, in its smallest units."
    )


class OwnerPolicy(FrozenModel):
    """A standing decision: which matching trainings to join unasked. Empty lists admit everything.

    `columns` are those a request may ask for, as features or target; one that asks for others needs a person.
    `minimum_pay_wei` is compared with the least fixed pay of the request (see `least_fixed_pay`) that pays in
    the chain's own coin. One that pays in a token that is not among `tokens` is declined: no figure of
    another asset says what it is worth.
    A bond that the request asks of owners is compared with `most_bond_wei` or the token's `most_bond` alike:
    unless something is set, a training with one waits for a person. So does one with `inference` unless
    `standard_errors` is set: a sum over five trainers hides an owner only among owners that the buyer did not
    make up, and who those are no owner can tell from the chain.
    An owner that reveals too late loses its seat, so `minimum_reveal_s` is what its node and chain need:
    until the joining's close is final, and then for a transaction. By default that is 12 confirmations of 12
    seconds, and as long again. `budget` binds a person's decision too.
    """

    automatic: bool = Field(default=False, description="Join matching trainings unasked.")
    buyers: tuple[Address, ...] = Field(
        (), max_length=10_000, fail_fast=True, description="Only trainings of these buyers."
    )
    model_kinds: tuple[Annotated[str, Field(max_length=64)], ...] = Field(
        (), max_length=16, description="Only these kinds of model."
    )
    columns: tuple[Name, ...] = Field(
        (),
        max_length=10_000,
        fail_fast=True,
        description="Only if no other columns than these are asked for, as features or target.",
    )
    data_sets: tuple[Name, ...] = Field(
        (), max_length=10_000, fail_fast=True, description="Only with these data sets of the catalogue."
    )
    minimum_pay_wei: Annotated[BigInteger, Field(ge=0)] = Field(
        0, description="Only for this least fixed pay or more, in wei."
    )
    most_bond_wei: Annotated[BigInteger, Field(ge=0)] = Field(
        0, description="Only if no more than this is to be deposited as a bond, in wei; 0 for no bond."
    )
    tokens: tuple[TokenPay, ...] = Field(
        (),
        max_length=1_000,
        fail_fast=True,
        description="Trainings that pay in these tokens may be joined too; others are declined.",
    )
    minimum_reveal_s: Annotated[int, Field(ge=1, le=LONGEST_REVEAL_SECONDS)] = Field(
        300,
        description="Only with so many seconds, or more, to confirm the seat once the joining is over.",
    )
    standard_errors: bool = Field(
        default=False,
        description="Join trainings that open the trainers' pooled information for standard errors.",
    )
    withdraw: bool = Field(default=True, description="Withdraw pay from the contract after each training.")
    budget: Budget = Field(Budget(), description="How many numbers about a data set may be published.")

    def accepts(self, request: Request, buyer: str, data_set: str) -> bool:
        """Whether the policy joins this training with this data set, as far as the budget goes."""
        return self.accepts_but_for_bond(request, buyer, data_set) and self.accepts_bond(request)

    def accepts_bond(self, request: Request) -> bool:
        """Whether it deposits, unasked, the bond that a request in a token that it takes asks of owners."""
        bonds = request.payment.bonds
        return bonds is None or bonds.owner <= self.most_bond(request.payment.token)

    def accepts_but_for_bond(self, request: Request, buyer: str, data_set: str) -> bool:
        """Whether nothing but the bond that is asked can be against joining, as far as the budget goes."""
        return (
            self.automatic
            and (not self.buyers or buyer in self.buyers)
            and (not self.model_kinds or request.model.kind in self.model_kinds)
            and (not self.columns or asked_columns(request) <= set(self.columns))
            and (not self.data_sets or data_set in self.data_sets)
            and (self.standard_errors or not request.inference)
            and self.can_reveal(request)
            and self.takes(request.payment.token)
            and least_fixed_pay(request) >= self.minimum_pay(request.payment.token)
        )

    def can_reveal(self, request: Request) -> bool:
        """Whether the request leaves the owner enough time to keep its seat."""
        return request.deadlines.reveal_s >= self.minimum_reveal_s

    def takes(self, token: Token) -> bool:
        """Whether the owner is paid in it at all."""
        return token == NATIVE or any(pay.token == token for pay in self.tokens)

    def minimum_pay(self, token: Token) -> int:
        """For which least fixed pay it joins, in smallest units of a token that it takes."""
        listed = {pay.token: pay.minimum_pay for pay in self.tokens}
        return self.minimum_pay_wei if token == NATIVE else listed[token]

    def most_bond(self, token: Token) -> int:
        """How much it deposits as a bond, in smallest units of a token that it takes."""
        listed = {pay.token: pay.most_bond for pay in self.tokens}
        return self.most_bond_wei if token == NATIVE else listed[token]

    @model_validator(mode="after")
    def _each_token_once(self) -> Self:
        twice = repeated(pay.token for pay in self.tokens)
        if twice is not None:
            raise ValueError(f"token {twice} is listed twice")
        if any(pay.token == NATIVE for pay in self.tokens):
            raise ValueError("the chain's own coin is no token: give minimum_pay_wei")
        return self


def asked_columns(request: Request) -> set[str]:
    """The names of features and target."""
    return {column.name for column in request.columns}
