"""Small trainings in which everybody deposits a bond."""

from typing import Any

from protocol.bond_policy import BondPolicy
from protocol.codec import pack
from protocol.owner_policy import OwnerPolicy
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.small_markets import small_data, small_market, small_request

FORFEIT = "0x" + "33" * 20
OWNER, AGGREGATOR, BUYER = 100, 1_000, 10_000
WILLING = OwnerPolicy(automatic=True, budget=AMPLE, most_bond_wei=OWNER)


def bonded_market(**bonds: int) -> PureMarket:
    """Two trainers and three validators; the usual bonds but for those that are named."""
    asked: dict[str, Any] = {"owner": OWNER, "aggregator": AGGREGATOR, "buyer": BUYER, **bonds}
    payment = {"deposit_wei": str(10**18), "bonds": {"forfeit_to": FORFEIT, **asked}}
    data = small_data(owners=5)
    market = small_market(small_request(payment=payment), data, policy=WILLING, validators=[2, 3, 4])
    market.aggregator.policy = pack(BondPolicy(most_bond_wei=AGGREGATOR))
    return market
