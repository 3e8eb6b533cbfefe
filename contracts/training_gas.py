# ruff: noqa: INP001
"""What a whole training costs in gas and in money, as a sum over the calls that are made in one."""

from collections.abc import Mapping
from dataclasses import dataclass

DOLLARS_AN_ETHER = 3000
"""An assumption, not a price of any day: multiply by another."""

GWEI_PRICES = (0.05, 1, 20)
"""Of one unit of gas: as on rollups, on a quiet day of Ethereum's main chain, and on a busy one."""

OWNERS, ROUNDS = (4, 10, 64), (1, 10, 100)
WEI_A_GWEI, WEI_AN_ETHER = 10**9, 10**18


@dataclass(frozen=True)
class Calls:
    """How often a call is made in a training: `once`, and for each owner and each round so often more."""

    name: str
    payer: str
    once: int = 0
    by_owner: int = 0
    by_round: int = 0

    def times(self, owners: int, rounds: int) -> int:
        """In a training of so many owners and rounds."""
        return self.once + self.by_owner * owners + self.by_round * rounds

    def shown(self) -> str:
        """The number of times as a formula of n owners and r rounds."""
        terms = [*(["n"] if self.by_owner else []), *(["r"] if self.by_round else [])]
        if not terms:
            return str(self.once)
        rest = [] if not self.once else ["+" if self.once > 0 else "−", str(abs(self.once))]
        return " ".join([*terms, *rest])


WHOLE_TRAINING = (
    Calls("open", "buyer", once=1),
    Calls("join, the last owner", "owners", by_owner=1),
    Calls("close", "aggregator", once=1),
    Calls("reveal, the first owner", "owners", once=1),
    Calls("reveal, the last owner", "owners", by_owner=1, once=-1),
    Calls("draw", "aggregator", once=1),
    Calls("recordRound, the first", "aggregator", once=1),
    Calls("recordRound, a later one", "aggregator", by_round=1, once=-1),
    Calls("settle", "aggregator", once=1),
    Calls("claim, the first owner", "owners", once=1),
    Calls("claim, the last owner", "owners", by_owner=1, once=-1),
    Calls("withdraw", "owners", by_owner=1),
    Calls("withdraw", "aggregator", once=1),
    Calls("withdraw", "buyer", once=1),
)
"""A training in which all take part to the end, the aggregator sends what anybody may, and all withdraw."""


def training_gas(figures: Mapping[str, str], owners: int, rounds: int, payer: str | None = None) -> int:
    """Gas of a whole training, or of the part that one payer's calls take, by the figures of single calls."""
    return sum(
        one.times(owners, rounds) * int(figures[f"{one.name}, {owners} owners"])
        for one in WHOLE_TRAINING
        if payer in (None, one.payer)
    )


def dollars(gas: int, gwei: float) -> float:
    """What gas costs at a price in gwei."""
    return gas * gwei * WEI_A_GWEI / WEI_AN_ETHER * DOLLARS_AN_ETHER


def training_tables(figures: Mapping[str, str]) -> list[str]:
    """The lines of the section about whole trainings."""
    return [
        "## A whole training",
        "",
        "The sum over the calls that are made in one of n owners and r rounds, where all take part to the",
        "end and the aggregator sends what anybody may. Registering, once in an account's life, is no part.",
        "",
        *_head("call", "by", "times"),
        *(_row(one.name, one.payer, one.shown()) for one in WHOLE_TRAINING),
        "",
        "In gas, for the shares of buyer and aggregator, and what an owner pays on average:",
        "",
        *_head("owners", "rounds", "gas", "buyer", "aggregator", "each owner"),
        *(_row(owners, rounds, *_gas(figures, owners, rounds)) for owners in OWNERS for rounds in ROUNDS),
        "",
        f"In dollars, at three prices of gas and an ether at {DOLLARS_AN_ETHER:,} dollars. All four are",
        "assumptions: `DOLLARS_AN_ETHER` and `GWEI_PRICES` in `training_gas.py`.",
        "",
        *_head("owners", "rounds", *(f"{gwei} gwei" for gwei in GWEI_PRICES)),
        *(_row(owners, rounds, *_money(figures, owners, rounds)) for owners in OWNERS for rounds in ROUNDS),
    ]


def _gas(figures: Mapping[str, str], owners: int, rounds: int) -> list[str]:
    parts = [training_gas(figures, owners, rounds, payer) for payer in (None, "buyer", "aggregator")]
    each = training_gas(figures, owners, rounds, "owners") / owners
    return [f"{part:,.0f}" for part in (*parts, each)]


def _money(figures: Mapping[str, str], owners: int, rounds: int) -> list[str]:
    gas = training_gas(figures, owners, rounds)
    return [f"{dollars(gas, gwei):,.2f}" for gwei in GWEI_PRICES]


def _head(*names: str) -> list[str]:
    """Numbers, so to the right, but for texts about calls."""
    return [_row(*names), "|" + (" --- |" if "call" in names else " ---: |") * len(names)]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
