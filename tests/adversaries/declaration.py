"""What is said of an adversary before it is run: who it is, what it does, and all that comes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.adversaries.arena import Arena, Committed, Deed, Replaced
from tests.adversaries.outcome import Outcome
from tests.adversaries.switches import Switch

SECTIONS = ("Before a round", "In a round", "On the wire", "What stays, whatever is checked")
"""Of protocol/THREATS.md."""

Wrapping = Callable[[Arena], Sequence[Replaced]]


class Money(StrEnum):
    """What the contract does with the deposit, seen from the adversary."""

    PAID = "all rounds are paid, the adversary as everybody"
    UNPAID = "all rounds are paid, the adversary gets nothing"
    PARTLY = "all rounds are paid, the adversary for some"
    REFUNDED = "no round is recorded: the deposit goes back, less what leaving costs"
    EARLY = "what was recorded is paid, the rest goes back"


class Learned(StrEnum):
    """What the adversary knows afterwards that an honest party in its place would not."""

    NOTHING = "nothing"
    BIT = "whether its cheating would have passed"
    OWN = "what it knew already"


@dataclass(frozen=True)
class Adversary:
    """One way to cheat, and what is to come of it.

    `caught` are words of `Outcome.findings`: "detector: code", all of which must be there; nothing where
    there is nothing to see. `named`: whether an honest party says that the adversary has cheated. `left_out`:
    whether the training goes on without it. `bond`: the fault that costs its bond, which the contract must
    see by itself, "" for none. `switch` is the one check that stands against it, and `wins` what it
    achieves where that is off, unless `crashes`: then it brings an honest party down. `unswitched` says why
    there is none such. Of a `pair` of validators both check every attempt. Where it is about what a trainer
    `carries`, the schedule is one of ADMM. `late` ones have nothing to do
    before the first round's products are there. A trainer that has `committed` widely
    has a map whose updates are out of range, a validator that has indefinitely a matrix that is no sum of
    squares.
    """

    name: str
    who: str
    does: str
    section: str
    deed: Deed
    caught: tuple[str, ...] = ()
    named: bool = False
    left_out: bool = False
    money: Money = Money.PAID
    bond: str = ""
    learned: Learned = Learned.NOTHING
    switch: Switch | None = None
    wins: Callable[[Outcome], bool] | None = None
    crashes: bool = False
    unswitched: str = ""
    rounds: int = 1
    twins: bool = False
    late: bool = False
    pair: bool = False
    carries: bool = False
    committed: Committed = "honestly"
    wrapping: Wrapping | None = None
    redraws: Callable[..., Any] | None = field(default=None)

    def __post_init__(self) -> None:
        """A declaration has either a switch with what is won, or says why it has none."""
        complete = (self.switch is not None and (self.wins is not None or self.crashes)) != bool(
            self.unswitched
        )
        if self.section not in SECTIONS or not complete:
            raise ValueError(self.name)
