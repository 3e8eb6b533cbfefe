"""Health: what counts as failing, and what /health says about it."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
import yaml
from structlog.testing import capture_logs

from services.bus.amqp.amqp_bus import AmqpBus
from services.chain.errors import ChainUnavailable
from services.chain.rpc.http import HttpRpc
from services.config.daemons import Broker
from services.observability.counters import Meter
from services.observability.health import Health
from services.observability.prometheus import LOOPBACK, DaemonCollector, serving
from tests.support.daemons.command_line import refused, run
from tests.support.daemons.scripted_daemon import until

ROOT = Path(__file__).parents[3]


class Part:
    """Something that answers, or does not."""

    def __init__(self):
        self.there, self.asked = True, 0

    async def probe(self):
        self.asked += 1
        if not self.there:
            raise ChainUnavailable("no answer from the node")


@asynccontextmanager
async def watched(health):
    task = asyncio.create_task(health.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_part_fails_after_the_bound_and_no_longer_once_it_answers():
    part = Part()
    health = Health({"chain": part.probe}, probe_seconds=0.01, unreachable_seconds=0.1)
    with capture_logs() as logs:
        async with watched(health):
            await until(lambda: part.asked > 1)
            assert health.failing() == {}
            part.there = False
            await until(lambda: health.up == {"chain": False})
            await until(health.failing)
            assert health.failing()["chain"].startswith("no answer for")
            assert health.failing()["chain"].endswith(": no answer from the node")
            part.there = True
            await until(lambda: not health.failing())
            assert health.up == {"chain": True}
    assert [line["event"] for line in logs] == ["unreachable", "reachable_again"]


async def test_a_short_absence_is_none():
    part = Part()
    part.there = False
    health = Health({"chain": part.probe}, probe_seconds=0.01, unreachable_seconds=3600)
    async with watched(health):
        await until(lambda: part.asked > 3)
    assert health.up == {"chain": False}
    assert health.failing() == {}


async def test_a_part_that_hangs_does_not_hide_another():
    hanging, part = asyncio.Event(), Part()
    probes = {"broker": hanging.wait, "chain": part.probe}
    health = Health(probes, probe_seconds=0.01, unreachable_seconds=0.05)
    async with watched(health):
        await until(lambda: part.asked > 2 and "broker" in health.failing())
    assert health.up == {"broker": False, "chain": True}


@pytest.mark.parametrize("fails", [False, True])
async def test_health_is_told_over_http(unused_tcp_port, fails):
    health = Health({"broker": Part().probe}, unreachable_seconds=-1 if fails else 60)
    url = f"http://{LOOPBACK}:{unused_tcp_port}/health"
    async with (
        serving(unused_tcp_port, DaemonCollector([], Meter()), health),
        aiohttp.ClientSession() as session,
        session.get(url) as answer,
    ):
        said = await answer.json()
    if fails:
        assert (answer.status, said["status"]) == (503, "failing")
        assert list(said["parts"]) == ["broker"]
    else:
        assert (answer.status, said) == (200, {"status": "ok"})


async def test_the_command_tells_what_fails(unused_tcp_port, tmp_path):
    sample = yaml.safe_load((ROOT / "deploy" / "config" / "chain-listener.yaml").read_text())
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({**sample, "metrics_port": unused_tcp_port}))
    health = Health({"broker": Part().probe})
    async with serving(unused_tcp_port, DaemonCollector([], Meter()), health):
        done = await asyncio.to_thread(run, "health", "--config", config)
        assert json.loads(done.stdout) == {"status": "ok"}
        health.doing, health.notes = lambda: "works", lambda: ["refused by somebody"]
        health.arithmetic = lambda: "gmpy2: no kernel is built"
        done = await asyncio.to_thread(run, "health", "--config", config)
        told = {"status": "ok", "doing": "works", "arithmetic": "gmpy2: no kernel is built"}
        told["notes"] = ["refused by somebody"]
        assert json.loads(done.stdout) == told
        health._bound = -1
        said = await asyncio.to_thread(refused, "health", "--config", config, status=3)
    assert "broker" in said


async def test_nobody_behind_the_urls_is_told_of_both(unused_tcp_port_factory):
    bus = AmqpBus(Broker(url=f"amqp://someone@{LOOPBACK}:{unused_tcp_port_factory()}/market"))
    async with HttpRpc(f"http://{LOOPBACK}:{unused_tcp_port_factory()}") as rpc:
        probes = {"broker": bus.connect, "chain": lambda: rpc.call("eth_blockNumber")}
        health = Health(probes, probe_seconds=0.1, unreachable_seconds=0.01)
        async with watched(health):
            await until(lambda: set(health.failing()) == {"broker", "chain"} and len(health.up) == 2)
    await bus.close()
    assert health.up == {"broker": False, "chain": False}
