"""The smallest training whose transcripts a command can verify: one round, in the daemons' own group."""

from functools import cache

from protocol.crypto.commitment_group import RSA_2048
from tests.support.roles.checked_markets import ROLES, checked_request
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import small_data, small_market


@cache
def proven_training() -> PureMarket:
    """Two trainers and two checkers, settled and claimed; made once in a process."""
    schedule = {"rounds": 1, "local_steps": 1, "step_size": "0.05", "tolerance": 0}
    feature = {"name": "x0", "minimum": -10, "maximum": 10}
    request = checked_request(schedule=schedule, features=[feature])
    market = small_market(request, small_data(), validators=[2, 3], roles=ROLES, group=RSA_2048)
    market.finish()
    assert market.contract.status == "settled"
    return market
