"""The product's real shape: ten processes, RabbitMQ and a node, from one order to withdrawn pay."""

import pytest

from services.data.samples import deal, diabetes
from tests.support.daemons.daemon_market import DaemonMarket, DaemonProcess, write_request
from tests.support.daemons.daemon_outcome import check_outcome
from tests.support.daemons.forked_daemons import ForkedMarket


class StartedByCommand(ForkedMarket):
    """A daemon of each kind is started by its command; the other owners, like the first, are forked."""

    node_options, key_bits = DaemonMarket.node_options, DaemonMarket.key_bits
    workers = DaemonMarket.workers

    def _daemon(self, name, kind):
        made = super()._daemon(name, kind)
        return made if name in self.owners[1:] else DaemonProcess(name, kind, made.config)


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = diabetes()
    async with StartedByCommand(tmp_path, rabbitmq, columns, deal(rows, 5, 39), forks) as running:
        yield running


async def test_one_order_ends_in_a_model_and_withdrawn_pay(market):
    await market.introduced()
    request = write_request(market, rounds=2, local_steps=5)
    DaemonMarket.command(market, "train", str(request), "--config", str(market.config("buyer")))
    await market.until(lambda: market.shown("buyer") == ["FINISHED"])
    await check_outcome(market, rounds=2, local_steps=5)
    for name in market.owners:
        assert market.shown(name) == ["FINISHED"]
    assert await market.broker.depth("deltaml.dead.letters") == 0
    assert 'state="FINISHED"} 1.0' in await market.scrape("buyer")
    stopped = {name: daemon.stop() for name, daemon in market.daemons.items()}
    assert stopped == dict.fromkeys(market.daemons, 0)
