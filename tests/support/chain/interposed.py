"""A node between a client and a chain, whose answers a test replaces."""

from services.chain.contract.client import MarketplaceClient
from services.chain.transactions.pending import SendPolicy
from tests.support.chain.chain_events import chain_events


class Interposed:
    """A node whose answers to some methods a test replaces; `handlers[method](*parameters)` may raise."""

    def __init__(self, inner) -> None:
        self.inner = inner
        self.handlers = {}

    async def call(self, method, *parameters):
        handler = self.handlers.get(method)
        return await (self.inner.call(method, *parameters) if handler is None else handler(*parameters))

    async def batch(self, requests):
        return [await self.call(method, *parameters) for method, parameters in requests]

    def on_block(self, wake) -> None:
        self.inner.on_block(wake)


def interposed_client(market, client, **policy):
    """The client's key behind a node that can be interposed."""
    rpc = Interposed(market.rpc)
    policy = SendPolicy(**{"poll_seconds": 0.01} | policy)
    key = market.keys[client.address]
    place = market.deployment
    return rpc, MarketplaceClient(rpc, place.market, key, policy=policy, first_block=place.block)


async def opened_trainings(market):
    events = await chain_events(market.buyer)
    return [item.event for item in events if item.event.event == "Opened"]
