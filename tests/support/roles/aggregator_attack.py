"""Messages to an aggregator, stopped on their way, to be forged or spoilt."""

from typing import Any

from protocol.envelope import SignedMessage
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import altered, refusal, small_data, small_market

Asked = tuple[PureMarket, SignedMessage]


def asked(type_name: str) -> Asked:
    """A market with two trainers and three validators, and a message to its aggregator about to arrive."""
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4])
    return market, market.run_until(type_name, market.aggregator)


def refuses(stopped: Asked, **changes: Any) -> str:
    """The code by which the aggregator refuses the message with these changes to its body."""
    market, message = stopped
    return refusal(market, market.aggregator, altered(market, message, **changes))
