"""The product's real shape: ten processes, RabbitMQ and a node, from one order to withdrawn pay."""

import asyncio

import pytest

from services.data.samples import deal, diabetes
from tests.support.daemons.daemon_market import DaemonMarket, write_request
from tests.support.daemons.daemon_outcome import check_outcome
from tests.support.daemons.forked_daemons import ForkedMarket


@pytest.fixture
async def market(tmp_path, rabbitmq):
    columns, rows = diabetes()
    async with DaemonMarket(tmp_path, rabbitmq, columns, deal(rows, 5, 39)) as running:
        yield running


@pytest.fixture
async def forked_market(tmp_path, rabbitmq, forks):
    columns, rows = diabetes()
    async with ForkedMarket(tmp_path, rabbitmq, columns, deal(rows, 5, 39), forks) as running:
        yield running


async def test_one_order_ends_in_a_model_and_withdrawn_pay(market):
    await market.introduced()
    request = write_request(market, rounds=2, local_steps=5)
    market.command("train", str(request), "--config", str(market.config("buyer")))
    await market.until(lambda: market.shown("buyer") == ["FINISHED"])
    await check_outcome(market, rounds=2, local_steps=5)
    for name in market.owners:
        assert market.shown(name) == ["FINISHED"]
    assert await market.broker.depth("deltaml.dead.letters") == 0
    assert 'state="FINISHED"} 1.0' in await market.scrape("buyer")
    stopped = {name: daemon.stop() for name, daemon in market.daemons.items()}
    assert stopped == dict.fromkeys(market.daemons, 0)


async def test_every_daemon_is_killed_once_and_the_training_ends_the_same(forked_market):
    market = forked_market
    await market.introduced()
    request = write_request(market, rounds=4, local_steps=5)
    market.command("train", str(request), "--config", str(market.config("buyer")))
    for daemon in market.daemons.values():  # one after another, wherever the training happens to be
        await asyncio.sleep(1.5)
        daemon.kill()
        await asyncio.sleep(0.2)
        daemon.start()
    await market.until(lambda: market.shown("buyer") == ["FINISHED"])
    await check_outcome(market, rounds=4, local_steps=5)
