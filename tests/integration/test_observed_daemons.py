"""What Prometheus and an operator see of running daemons: listener, aggregator and an owner."""

import asyncio
import json
import re

import pytest

from services.data.samples import deal, diabetes
from tests.support.daemons.command_line import run
from tests.support.daemons.forked_daemons import ForkedMarket

STARTED = ("listener", "aggregator", "owner-1")


class FewDaemons(ForkedMarket):
    """A market where only some have been started."""

    def _configure(self, name, kind, user, own):
        super()._configure(name, kind, user, own)
        if name not in STARTED:
            del self.daemons[name]


@pytest.fixture
async def market(tmp_path, rabbitmq, forks):
    columns, rows = diabetes()
    async with FewDaemons(tmp_path, rabbitmq, columns, deal(rows, 5, 39), forks) as running:
        yield running


def answered(market):
    """The owner has heard from the aggregator: both have registered, sent, taken in and acted."""
    store = market.store("owner-1")
    try:
        return bool(store.values("aggregator:"))
    finally:
        store.close()


def figure(text, name, **labels):
    """One sample's value."""
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            return float(found[2])
    raise AssertionError(f"{name} {labels} is not in\n{text}")


async def at_rest(market, name):
    """What a daemon tells when nothing waits in it."""
    async with asyncio.timeout(300):
        while True:
            told = await market.scrape(name)
            if all(
                float(found) == 0
                for found in re.findall(r"^deltaml_inbox_inputs\S* (\S+)$", told, re.MULTILINE)
            ):
                return told
            await asyncio.sleep(0.05)


async def test_scrapes_of_running_daemons_and_their_health(market):
    await market.until(lambda: answered(market))
    owner, aggregator, listener = [await at_rest(market, name) for name in STARTED[::-1]]
    party = {"role": "data_owner", "party": market.addresses["owner-1"]}
    assert figure(owner, "deltaml_messages_published_total", **party) >= 1
    assert figure(owner, "deltaml_inbox_inputs", **party) == 0
    assert figure(owner, "deltaml_inbox_oldest_seconds", **party) == 0
    assert figure(owner, "deltaml_outbox_effects", **party) >= 0
    assert figure(owner, "deltaml_outbox_oldest_seconds", **party) >= 0
    assert figure(owner, "deltaml_transactions_total", call="register", outcome="succeeded") == 1
    assert figure(owner, "deltaml_gas_spent_total", call="register", outcome="succeeded") > 21_000
    assert figure(aggregator, "deltaml_phase_seconds_total", phase="store") > 0
    for text in (owner, aggregator, listener):
        assert figure(text, "deltaml_up", part="broker") == 1
        assert figure(text, "deltaml_up", part="chain") == 1
    head = figure(listener, "deltaml_head_block")
    assert head - figure(listener, "deltaml_last_confirmed_block") == figure(
        listener, "deltaml_confirmation_lag_blocks"
    )
    assert head > 0
    for name in STARTED:
        told = await asyncio.to_thread(run, "health", "--config", market.config(name))
        assert json.loads(told.stdout) == {"status": "ok", "doing": "works"}
