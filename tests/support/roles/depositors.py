"""Trainings in whichever coin in which everybody deposits a bond, and parties that do so unasked."""

from typing import Any

from protocol.bond_policy import BondPolicy, TokenBond
from protocol.codec import pack
from protocol.owner_policy import OwnerPolicy, TokenPay
from protocol.terms import NATIVE
from tests.support.roles.bonded import AGGREGATOR, BUYER, FORFEIT, OWNER
from tests.support.roles.pure_market import AMPLE, PureMarket

TOKEN = "0x" + "44" * 20
COINS = (NATIVE, TOKEN)
"""What trainings with bonds pay in: the chain's own coin, or a token."""
DEPOSIT = 10**18


def payment_in(coin: str) -> dict[str, Any]:
    """The payment of a request that asks everybody for a bond, in this coin's smallest units."""
    bonds = {"owner": OWNER, "aggregator": AGGREGATOR, "buyer": BUYER, "forfeit_to": FORFEIT}
    return {"deposit_wei": str(DEPOSIT), "token": coin, "bonds": bonds}


def make_willing(market: PureMarket) -> None:
    """Have owners and aggregator deposit unasked, in either coin; before anything is delivered."""
    token_pay, token_bond = (
        TokenPay(token=TOKEN, most_bond=OWNER),
        TokenBond(token=TOKEN, most_bond=AGGREGATOR),
    )
    owner = OwnerPolicy(automatic=True, budget=AMPLE, most_bond_wei=OWNER, tokens=(token_pay,))
    for party in market.owners:
        party.policy = pack(owner)
    market.aggregator.policy = pack(BondPolicy(most_bond_wei=AGGREGATOR, tokens=(token_bond,)))
