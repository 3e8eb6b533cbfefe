"""Everybody deposits a bond beside an adversary: it is lost for what the contract can judge alone."""

from collections import Counter
from contextlib import suppress

from protocol.marketplace import ReleaseBond
from tests.adversaries.outcome import Outcome
from tests.support.roles.bonded import AGGREGATOR, BUYER, OWNER
from tests.support.roles.depositors import DEPOSIT
from tests.support.roles.pure_contract import TRAINING, Refused
from tests.support.roles.pure_market import PureMarket


def bond_differences(outcome: Outcome, fault: str) -> list[str]:
    """What of an ended training's bonds is not so: this fault costs the adversary's, "" nobody's.

    Everybody else takes its own home, at the earliest time, and then the contract has nothing left of any.
    """
    arena = outcome.arena
    bonds, ledger = arena.contract.bonds, arena.contract.ledger
    assert bonds is not None
    assert ledger is not None
    expected = [(arena.adversary, fault)] if fault else []
    lost = outcome.lost_bonds
    found = [] if lost == expected else [f"bonds lost: {lost}, and not {expected}"]
    given = Counter(dict.fromkeys((one.address for one in arena.owners), OWNER))
    given += Counter({arena.aggregator.address: AGGREGATOR, arena.buyer.address: BUYER})
    home = Counter({account: amount for account, amount in given.items() if (account, fault) not in expected})
    if _released(arena) != home or bonds.held.total():
        found.append("a bond did not come home")
    if bonds.credits.total() != given.total():
        found.append(f"of {given.total()} deposited in bonds {bonds.credits.total()} are credited")
    if ledger.total != DEPOSIT:
        found.append(f"of a deposit of {DEPOSIT} there are {ledger.total}")
    return found


def _released(market: PureMarket) -> Counter[str]:
    """What each account has back of its own once the contract lets it."""
    contract = market.contract
    assert contract.bonds is not None
    assert contract.opened is not None
    contract.now = max(market.now, contract.ended_at + contract.opened.terms.round_seconds // 4)
    for account in sorted(contract.bonds.held):
        with suppress(Refused):  # those that have none any more
            contract.apply(account, ReleaseBond(training=TRAINING))
    own = [one for one in contract.bonds.credited if one.share == "bond"]
    return Counter({one.account: one.amount for one in own})
