"""The product's real shape: nine processes, RabbitMQ and a node, from one order to withdrawn pay.

One checked training; an owner's process dies in the middle of its checks.
"""

import pytest

from services.data.samples import deal, diabetes
from tests.support.daemons.checked_training import is_checking, verify_transcript
from tests.support.daemons.daemon_market import DaemonMarket, DaemonProcess, write_request
from tests.support.daemons.daemon_outcome import check_outcome
from tests.support.daemons.forked_daemons import ForkedMarket

ROUNDS, LOCAL_STEPS, OWNERS = 2, 2, 4
BY_COMMAND = ("listener", "buyer", "aggregator", "owner-1")


class StartedByCommand(ForkedMarket):
    """A daemon of each kind is started by its command; the other owners, like the first, are forked."""

    node_options, key_bits = DaemonMarket.node_options, DaemonMarket.key_bits
    workers, rounds = DaemonMarket.workers, "checked"

    def _daemon(self, name, kind):
        made = super()._daemon(name, kind)
        return DaemonProcess(name, kind, made.config) if name in BY_COMMAND else made


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = diabetes()
    chosen = [columns.index("bmi"), columns.index("bp"), len(columns) - 1]
    names = tuple(columns[index] for index in chosen)
    async with StartedByCommand(
        tmp_path, rabbitmq, names, deal(rows[:, chosen], OWNERS, 39), forks
    ) as running:
        yield running


async def test_one_order_ends_in_a_model_and_withdrawn_pay_after_a_kill(market):
    await market.introduced()
    request = write_request(market, rounds=ROUNDS, local_steps=LOCAL_STEPS, minimum=OWNERS, maximum=OWNERS)
    DaemonMarket.command(market, "train", str(request), "--config", str(market.config("buyer")))
    await market.until(lambda: is_checking(market))
    market.daemons["owner-2"].kill()
    market.daemons["owner-2"].start()
    await market.until(lambda: all(market.shown(name) == ["FINISHED"] for name in market.addresses))
    await check_outcome(market, rounds=ROUNDS, local_steps=LOCAL_STEPS)
    assert await market.broker.depth("deltaml.dead.letters") == 0
    assert 'state="FINISHED"} 1.0' in await market.scrape("buyer")
    verify_transcript(market, "owner-1", ROUNDS)
    stopped = {name: daemon.stop() for name, daemon in market.daemons.items()}
    assert stopped == dict.fromkeys(market.daemons, 0)
