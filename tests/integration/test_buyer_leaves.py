"""A buyer that is gone once the joining is over: owners with a role are paid for it, without its daemon."""

import asyncio

import pytest
import yaml

from protocol.marketplace import Cancelled, Opened, RolesDrawn, RoundRecorded
from services.chain.contract.client import MarketplaceClient
from services.chain.rpc.http import HttpRpc
from services.data.samples import deal
from tests.support.chain.chain_events import chain_events
from tests.support.chain.paid_out import paid_out
from tests.support.daemons.daemon_market import two_features, write_request
from tests.support.daemons.forked_daemons import ForkedMarket
from tests.support.roles.pay import credited, recomputed


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = two_features()
    async with (
        ForkedMarket(tmp_path, rabbitmq, columns, deal(rows, 5, 39), forks) as running,
        HttpRpc(running.node_url) as rpc,
    ):
        running.client = MarketplaceClient(rpc, running.market, first_block=running.first_block)
        yield running


def order(market):
    """A training whose rounds are soon late."""
    request = write_request(market, rounds=2)
    document = yaml.safe_load(request.read_text())
    document["deadlines"] = {"join_s": 120, "reveal_s": 10, "step_s": 4, "chain_s": 4}
    request.write_text(yaml.safe_dump(document))
    market.command("train", str(request), "--config", str(market.config("buyer")))


async def test_a_buyer_that_leaves_once_roles_are_drawn_pays_those_who_were(market):
    await market.introduced()
    order(market)
    async with asyncio.timeout(300):
        while await market.client.status(1) != "drawing":
            await asyncio.sleep(0.1)
    market.daemons["buyer"].kill()
    await market.until(
        lambda: all(market.shown(name)[-1:] == ["FAILED(buyer_silent)"] for name in ["aggregator"])
    )
    market.daemons["buyer"].start()
    async with asyncio.timeout(300):
        await paid_out(market.client, market.addresses)
    events = [one.event for one in await chain_events(market.client, market.first_block)]
    [opened], [cancelled], [_drawn] = (
        [one for one in events if isinstance(one, kind)] for kind in (Opened, Cancelled, RolesDrawn)
    )
    assert not [one for one in events if isinstance(one, RoundRecorded)]
    each = opened.deposit * opened.terms.abandon_bps // 10_000 // len(market.owners)
    assert cancelled.refund == opened.deposit - len(market.owners) * each
    assert credited(events) == recomputed(events)
    assert {share for _account, share in credited(events)} == {"abandonment", "refund"}
