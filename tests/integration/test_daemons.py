"""The product's real shape: ten processes, RabbitMQ and a node, from one order to withdrawn pay."""

import asyncio
from decimal import Decimal

import numpy as np
import pytest

from protocol.bought_model import BoughtModel
from protocol.codec import unpack
from protocol.learning import plaintext
from protocol.learning.plaintext import OwnerData
from protocol.learning.statistic import StatisticBuilder, select
from protocol.records import Market
from protocol.types import seats_of
from services.chain.client import MarketplaceClient
from services.chain.rpc import HttpRpc
from services.datasets import deal, diabetes
from tests.support.daemon_market import DaemonMarket, write_request
from tests.support.pay import credited, recomputed

ROUNDS, LOCAL_STEPS = 3, 5


@pytest.fixture
async def market(tmp_path, rabbitmq):
    columns, rows = diabetes()
    async with DaemonMarket(tmp_path, rabbitmq, columns, deal(rows, 5, 39)) as running:
        yield running


def owner_data(columns, rows):
    builder = StatisticBuilder(columns)
    builder.add(rows)
    statistic = builder.finish()
    return OwnerData(select(statistic, columns[:-1], columns[-1], intercept=True), statistic.rows)


async def test_one_order_ends_in_a_model_and_withdrawn_pay(market):
    await market.introduced()
    market.command(
        "train",
        str(write_request(market, rounds=ROUNDS, local_steps=LOCAL_STEPS)),
        "--config",
        str(market.config("buyer")),
    )
    await market.until(lambda: market.shown("buyer") == ["FINISHED"])

    async with HttpRpc(market.node_url) as rpc:
        client = MarketplaceClient(
            rpc, Market(chain_id=31337, contract=market.contract), first_block=market.first_block
        )
        everyone = list(market.addresses.values())

        async def outstanding():
            return [await client.credit_of(address) for address in everyone]

        async with asyncio.timeout(120):
            while any(await outstanding()):
                await asyncio.sleep(0.2)
        owners = await client.owners(1)
        events = await client.fetch_events(market.first_block, await client.block_number())
    check_model(market, owners)
    published = [one.event for one in events]
    assert credited(published) == recomputed(published)
    assert credited(published).total() == 10**18
    for name in market.owners:
        assert market.shown(name) == ["FINISHED"]
    assert await market.broker.depth("deltaml.dead.letters") == 0
    assert 'state="FINISHED"} 1.0' in await market.scrape("buyer")
    assert {name: daemon.stop() for name, daemon in market.daemons.items()} == dict.fromkeys(
        market.daemons, 0
    )


def check_model(market, owners):
    data_of = {
        market.addresses[name]: owner_data(market.columns, part)
        for name, part in zip(market.owners, market.parts, strict=True)
    }
    trainers, validators = (
        [data_of[owners.seats[seat]] for seat in seats_of(mask)]
        for mask in (owners.trainers, owners.validators)
    )
    plain = plaintext.run(
        trainers,
        validators,
        np.zeros(len(market.columns)),
        step_size=float(Decimal("1.5")),
        l2=0.0,
        local_steps=LOCAL_STEPS,
        rounds=ROUNDS,
    )
    store = market.store("buyer")
    (instance,) = store.instances()
    model = unpack(BoughtModel, store.result(instance.key, "model"))
    store.close()
    assert np.abs(np.array([*model.weights, model.intercept]) - plain.averaging.models[-1]).max() < 1e-6
    shown = market.command("show", "1", "--config", str(market.config("buyer")))
    errors = [figures["mse_after"] for figures in shown["rounds"]]
    assert errors == pytest.approx([metrics.after for metrics in plain.metrics], rel=1e-5)
