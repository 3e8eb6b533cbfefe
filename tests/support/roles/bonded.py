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


def bonded_market(schedule: dict[str, Any] | None = None, **bonds: int) -> PureMarket:
    """Two trainers and three validators, or a schedule's folds; the usual bonds but for those named."""
    asked: dict[str, Any] = {"owner": OWNER, "aggregator": AGGREGATOR, "buyer": BUYER, **bonds}
    payment = {"deposit_wei": str(10**18), "bonds": {"forfeit_to": FORFEIT, **asked}}
    data = small_data(owners=5)
    request = small_request(payment=payment, **({} if schedule is None else {"schedule": schedule}))
    market = small_market(request, data, policy=WILLING, validators=None if schedule else [2, 3, 4])
    market.aggregator.policy = pack(BondPolicy(most_bond_wei=AGGREGATOR))
    return market
