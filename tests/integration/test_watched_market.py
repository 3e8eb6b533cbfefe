"""What an operator sees of a real market: scrapes, health, and a real Prometheus with dashboards and alerts.

One market for all: it is scraped at rest first, then trains, and then a daemon is killed.
"""

import asyncio
import json
import re
from contextlib import suppress

import pytest
import pytest_asyncio
import yaml

from services.data.samples import deal
from tests.support.daemons.command_line import run
from tests.support.daemons.daemon_market import two_features, write_request
from tests.support.daemons.forked_daemons import ForkedMarket
from tests.support.deployment.prometheus import running_prometheus
from tests.support.deployment.promql import DEPLOY, alert_rules, metrics_of, panel_expressions

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOKED_AT = ("listener", "aggregator", "owner-1")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def market(tmp_path_factory, rabbitmq, forks):
    columns, rows = two_features()
    folder = tmp_path_factory.mktemp("market")
    async with ForkedMarket(folder, rabbitmq, columns, deal(rows, 5, 39), forks) as running:
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
    owner, aggregator, listener = [await at_rest(market, name) for name in LOOKED_AT[::-1]]
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
    for name in LOOKED_AT:
        told = await asyncio.to_thread(run, "health", "--config", market.config(name))
        assert json.loads(told.stdout).items() >= {"status": "ok", "doing": "works"}.items()


@pytest.fixture
def prometheus(market, rabbitmq, tmp_path):
    """Ours, but for its targets and its patience."""
    assert rabbitmq.prometheus_url, "DELTAML_AMQP_PROMETHEUS_URL must say where RabbitMQ's metrics are"
    folder = tmp_path / "prometheus"
    (folder / "targets").mkdir(parents=True)
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    alerts = re.sub(r"for: \w+", "for: 2s", (DEPLOY / "prometheus" / "alerts.yml").read_text())
    (folder / "alerts.yml").write_text(alerts)
    targets = {
        "deltaml": [f"127.0.0.1:{port}" for port in market.metrics_ports.values()],
        "rabbitmq": [rabbitmq.prometheus_url.removeprefix("http://")],
    }
    for name, places in targets.items():
        (folder / "targets" / f"{name}.yml").write_text(yaml.safe_dump([{"targets": places}]))
    with running_prometheus(folder / "prometheus.yml") as server:
        yield server


async def eventually(condition, seconds=300):
    """Wait until it holds; returns what it came to. A query blocks, so it is asked in a thread."""
    async with asyncio.timeout(seconds):
        while not (found := await asyncio.to_thread(condition)):
            await asyncio.sleep(0.5)
    return found


async def test_dashboards_and_alerts_use_what_a_real_market_tells(market, prometheus):
    await market.introduced()
    request = write_request(market, rounds=3, local_steps=5)
    market.command("train", str(request), "--config", str(market.config("buyer")))
    await market.until(lambda: market.shown("buyer") == ["FINISHED"])
    await eventually(lambda: prometheus.query('deltaml_trainings_ended_total{outcome="finished"} == 1'))
    await eventually(lambda: len(prometheus.query(queue_lengths(market))) >= 15)

    scraped = set(await asyncio.to_thread(prometheus.get, "label/__name__/values"))
    expressions = panel_expressions()
    used = {metric for _, expression in expressions for metric in metrics_of(expression)}
    used |= {metric for rule in alert_rules() for metric in metrics_of(rule["expr"])}
    assert sorted(used - scraped) == []

    def empty():
        return [place for place, expression in expressions if not prometheus.query(expression)]

    with suppress(TimeoutError):  # a scrape that a busy machine has missed leaves a gap of a second
        await eventually(lambda: not empty())
    assert empty() == []

    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {rule["alert"] for rule in alert_rules()}
    assert [rule["lastError"] for rule in rules if rule["health"] != "ok"] == []
    await eventually(lambda: firing(prometheus, market) == {})

    victim = f"127.0.0.1:{market.metrics_ports['owner-2']}"
    market.daemons["owner-2"].kill()
    told = await eventually(lambda: down(prometheus, market, victim))
    assert told == f"{victim} does not answer"
    away = await eventually(lambda: firing(prometheus, market).get("PartyAway"))
    assert [one["labels"]["queue"] for one in away] == [f"deltaml.data_owner.{market.addresses['owner-2']}"]


def queue_lengths(market):
    return f'rabbitmq_detailed_queue_messages{{vhost="{market.broker.vhost}"}}'


def down(prometheus, market, instance):
    for one in firing(prometheus, market).get("DaemonDown", ()):
        if one["labels"]["instance"] == instance:
            return one["annotations"]["summary"]
    return None


def firing(prometheus, market):
    """Alerts of this market by name: the broker has other tests' queues too."""
    found = {}
    for one in prometheus.get("alerts")["alerts"]:
        if (
            one["state"] == "firing"
            and one["labels"].get("vhost", market.broker.vhost) == market.broker.vhost
        ):
            found.setdefault(one["labels"]["alertname"], []).append(one)
    return found
