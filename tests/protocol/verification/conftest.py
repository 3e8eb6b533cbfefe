"""One small checked training for all tests of its verification."""

import pytest

from tests.support.roles.checked_markets import checked_market
from tests.support.roles.pure_market import PureMarket

SCHEDULE = {"rounds": 2, "local_steps": 2, "step_size": "0.05", "tolerance": 0}


@pytest.fixture(scope="package")
def market() -> PureMarket:
    """Two trainers, two members, two rounds, settled and claimed."""
    market = checked_market((2, 3), owners=4, schedule=SCHEDULE)
    market.finish()
    assert market.contract.status == "settled"
    return market
