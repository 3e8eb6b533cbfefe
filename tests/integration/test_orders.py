"""People's orders to running daemons: accept, decline, admit, stop."""

import pytest

from deltaml import AsyncBuyer
from protocol.marketplace import Joined, Settled
from protocol.records import Market
from services.chain.contract.client import MarketplaceClient
from services.chain.rpc.http import HttpRpc
from services.data.samples import deal
from tests.support.chain.chain_events import chain_events
from tests.support.daemons.daemon_market import two_features, write_request
from tests.support.daemons.forked_daemons import ForkedMarket

MANUAL = ("owner-4", "owner-5")


class Deciding(ForkedMarket):
    """Two owners decide by hand, and so does the buyer about the others than three."""

    def _own(self, name):
        own = super()._own(name)
        if name == "buyer":
            known = [self.addresses[f"owner-{number}"] for number in (1, 2, 3)]
            own["admission"] = {"owners": known, "others": "ask"}
        if name in MANUAL:
            own["policy"] = {**own["policy"], "automatic": False}
        return own


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = two_features()
    async with Deciding(tmp_path, rabbitmq, columns, deal(rows, 5, 39), forks) as running:
        yield running


async def test_owners_decide_and_the_buyer_stops(market):
    await market.introduced()
    request = write_request(market, rounds=50, minimum=4, maximum=4)
    buyer = AsyncBuyer(market.config("buyer"))
    training = await buyer.order(request)
    for name in MANUAL:
        await market.until(lambda name=name: market.shown(name) == ["READY"])
    market.command("decline", "1", "--config", str(market.config("owner-5")))
    await market.until(lambda: market.shown("owner-5") == ["DECLINED"])
    # The last that it waits for; 50 rounds publish more than its budget.
    market.command("accept", "1", "--beyond-budget", "--config", str(market.config("owner-4")))
    own = ("--config", str(market.config("buyer")))
    await market.until(lambda: bool(market.command("admissions", "--waiting", *own)))
    (waiting,) = market.command("admissions", "--waiting", *own)
    assert (waiting["training"], waiting["owner"]) == (1, market.addresses["owner-4"])
    market.command("admit", "1", waiting["owner"], *own)
    watching = training.watch(poll_seconds=0.2)
    while not (await anext(watching)).rounds:
        pass
    market.command("stop", "1", "--config", str(market.config("buyer")))
    # From here on the buyer signs nothing: the contract lets anyone settle when its deadline is over.
    await market.until(lambda: "stop_requested" in facts_of(market, "buyer"))
    recorded = rounds_recorded(market)

    async with HttpRpc(market.node_url) as rpc:
        place = Market(chain_id=31337, contract=market.contract)
        client = MarketplaceClient(rpc, place, first_block=market.first_block)
        events = [one.event for one in await chain_events(client)]
    joined = {one.owner for one in events if isinstance(one, Joined)}
    assert joined == {market.addresses[f"owner-{number}"] for number in (1, 2, 3, 4)}
    assert recorded < 50
    assert not any(isinstance(one, Settled) for one in events)
    assert [training.number for training in buyer.trainings()] == [1]
    buyer.close()


def facts_of(market, name):
    shown = market.command("show", "1", "--config", str(market.config(name)))
    return {fact["name"] for fact in shown["facts"]}


def rounds_recorded(market):
    shown = market.command("show", "1", "--config", str(market.config("buyer")))
    return len(shown["rounds"])
