"""Metrics over HTTP: what a scrape shows, and a port that is taken."""

import asyncio
import socket
import time

import aiohttp
import pytest

from services.bus.memory import MemoryBroker, MemoryBus
from services.bus.refusal_reasons import REASONS
from services.common.errors import ConfigurationError
from services.observability.counters import PHASES, Meter
from services.observability.health import Health
from services.observability.heartbeat import Heartbeats
from services.observability.prometheus import LOOPBACK, DaemonCollector, Observed, serving
from services.store import StepWrites, Store


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


@pytest.fixture
def collector():
    store = Store()
    store.add_inputs([(b"1" * 32, "1", b"a"), (b"2" * 32, "1", b"b")])
    writes = StepWrites(1, b"state", "IN_PROGRESS", finished=False, references=frozenset())
    writes.effects = [("message", b"m"), ("call", b"c"), ("call", b"d")]
    store.write_step(store.next_input("1"), writes, 0.0)
    meter = Meter()
    meter.step("encrypted_model", 1.5)
    yield DaemonCollector([Observed("data_owner", "0xab", store, MemoryBus(MemoryBroker()))], meter)
    store.close()


async def scrape(port, host=LOOPBACK):
    async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


def figures(text):
    """Value by sample."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


async def test_a_scrape_shows_states_depths_and_phases(collector, free_port):
    async with serving(free_port, collector):
        text = await scrape(free_port)
    assert 'deltaml_trainings{party="0xab",role="data_owner",state="IN_PROGRESS"} 1.0' in text
    assert 'deltaml_inbox_inputs{party="0xab",role="data_owner"} 1.0' in text
    assert 'deltaml_outbox_effects{party="0xab",role="data_owner"} 3.0' in text
    assert 'deltaml_phase_seconds_total{phase="training"} 1.5' in text
    assert all(f'phase="{phase}"' in text for phase in PHASES)


async def test_a_scrape_tells_how_long_things_have_waited(free_port):
    store, bus = Store(), MemoryBus(MemoryBroker())
    observed = Observed("data_owner", "0xab", store, bus)
    async with serving(free_port, DaemonCollector([observed], Meter())):
        empty = figures(await scrape(free_port))
        store.add_inputs([(b"1" * 32, "1", b"a"), (b"2" * 32, "1", b"b")])
        store.add_effects("1", [("call", b"c")], 0.0)
        with store._database.writing() as connection:
            connection.exec_driver_sql("UPDATE inbox SET arrived_at = arrived_at - 100 WHERE sequence = 1")
            connection.exec_driver_sql("UPDATE outbox SET added_at = added_at - 50")
        waiting = figures(await scrape(free_port))
        store.finish_input(store.next_input("1"), 0.0)
        later = figures(await scrape(free_port))
    store.close()
    party = '{party="0xab",role="data_owner"}'
    inbox, outbox = f"deltaml_inbox_oldest_seconds{party}", f"deltaml_outbox_oldest_seconds{party}"
    assert (empty[inbox], empty[outbox]) == (0, 0)
    assert 100 <= waiting[inbox] < 150
    assert 50 <= waiting[outbox] < 100
    assert later[inbox] < 50  # what is done waits no longer


async def test_a_scrape_shows_letters_steps_calls_and_retries(free_port):
    meter, store, bus = Meter(), Store(), MemoryBus(MemoryBroker())
    bus.dead_letters.update(["bad_signature", "bad_signature", "malformed"])
    meter.step("proven_update", 0.02)
    meter.step("proven_update", 50.0)
    meter.called("settle", "succeeded", 90_000)
    meter.called("settle", "failed", 30_000)
    meter.called("settle", "refused", 0)
    meter.retried("call")
    async with serving(free_port, DaemonCollector([Observed("data_owner", "0xab", store, bus)], meter)):
        found = figures(await scrape(free_port))
    store.close()
    letters = 'deltaml_dead_letters_total{code="%s",party="0xab",reason="%s",role="data_owner"}'
    assert found[letters % ("bad_signature", "unauthenticated")] == 2
    assert found[letters % ("malformed", "invalid")] == 1
    buckets = [
        found[f'deltaml_step_seconds_bucket{{input="proven_update",le="{most}"}}']
        for most in ("0.01", "0.03", "30.0", "100.0", "+Inf")
    ]
    assert buckets == [0, 1, 1, 2, 2]
    assert found['deltaml_step_seconds_sum{input="proven_update"}'] == 50.02
    calls = {"succeeded": 90_000, "failed": 30_000}
    for outcome, gas in calls.items():
        assert found[f'deltaml_gas_spent_total{{call="settle",outcome="{outcome}"}}'] == gas
    for outcome in (*calls, "refused"):
        assert found[f'deltaml_transactions_total{{call="settle",outcome="{outcome}"}}'] == 1
    assert found['deltaml_retries_total{of="call"}'] == 1


async def test_a_listener_shows_its_lag_and_a_daemon_its_connections(free_port):
    store, bus, health = Store(), MemoryBus(MemoryBroker()), Health({})
    blocks = [None]
    observed = Observed("chain_listener", "0xc0", store, bus, health, lambda: blocks[0])
    party = 'party="0xc0",role="chain_listener"'
    async with serving(free_port, DaemonCollector([observed], Meter()), health):
        before = figures(await scrape(free_port))
        blocks[0], health.up = (120, 108), {"broker": True, "chain": False}
        after = figures(await scrape(free_port))
    store.close()
    assert not [name for name in before if "block" in name or name.startswith("deltaml_up")]
    assert after[f"deltaml_head_block{{{party}}}"] == 120
    assert after[f"deltaml_last_confirmed_block{{{party}}}"] == 108
    assert after[f"deltaml_confirmation_lag_blocks{{{party}}}"] == 12
    assert after[f'deltaml_up{{part="broker",{party}}}'] == 1
    assert after[f'deltaml_up{{part="chain",{party}}}'] == 0


async def test_a_scrape_shows_signs_of_life(free_port, tmp_path):
    store, bus, health, heartbeats = (
        Store(),
        MemoryBus(MemoryBroker()),
        Health({"broker": asyncio.Event().wait}),
        Heartbeats(),
    )
    heartbeats.beat("outbox")
    observed = Observed(
        "data_owner", "0xab", store, bus, health, heartbeats=heartbeats, ether=lambda: 0.25, folder=tmp_path
    )
    party = 'party="0xab",role="data_owner"'
    async with serving(free_port, DaemonCollector([observed], Meter()), health):
        well = figures(await scrape(free_port))
        health._bound = -1.0
        ill = figures(await scrape(free_port))
    store.close()
    beat = well[f'deltaml_heartbeat_timestamp_seconds{{{party},task="outbox"}}']
    assert beat == heartbeats.at["outbox"]
    assert well[f"deltaml_event_loop_lag_seconds{{{party}}}"] == 0
    assert well[f"deltaml_account_balance_ether{{{party}}}"] == 0.25
    assert well[f"deltaml_store_free_bytes{{{party}}}"] > 0
    assert (well[f"deltaml_healthy{{{party}}}"], ill[f"deltaml_healthy{{{party}}}"]) == (1, 0)


async def test_a_scrape_tells_how_long_a_training_has_been_quiet(free_port):
    store = Store()
    observed = Observed("data_owner", "0xab", store, MemoryBus(MemoryBroker()))
    async with serving(free_port, DaemonCollector([observed], Meter())):
        quiet = 'deltaml_training_quiet_seconds{party="0xab",role="data_owner"}'
        assert figures(await scrape(free_port))[quiet] == 0
        for key, finished, ago in (("1", False, 50), ("2", False, 500), ("3", True, 5000)):
            store.add_inputs([(key.encode() * 32, key, b"a")])
            writes = StepWrites(int(key), b"state", "IN_PROGRESS", finished=finished, references=frozenset())
            store.write_step(store.next_input(key), writes, time.time() - ago)
        assert 500 <= figures(await scrape(free_port))[quiet] < 600
    store.close()


async def test_a_scrape_shows_rounds_and_what_may_go_wrong_before_it_does(free_port):
    meter, store = Meter(), Store()
    for fact in ("round_recorded", "started", "round_recorded", "round_recorded"):
        meter.noted(("0xab", "1"), fact)  # the first began before this process: nobody knows when
    meter.ended(("0xab", "1"))
    meter.noted(("0xab", "1"), "round_recorded")
    meter.steps_failed += 1
    observed = Observed("data_owner", "0xab", store, MemoryBus(MemoryBroker()))
    async with serving(free_port, DaemonCollector([observed], meter)):
        found = figures(await scrape(free_port))
    store.close()
    assert found["deltaml_round_seconds_count"] == 2
    assert found["deltaml_steps_failed_total"] == 1
    assert [found[f'deltaml_retries_total{{of="{of}"}}'] for of in ("step", "gate", "call")] == [0, 0, 0]
    letters = 'deltaml_dead_letters_total{code="",party="0xab",reason="%s",role="data_owner"}'
    assert [found[letters % reason] for reason in REASONS] == [0] * len(REASONS)


async def test_another_address_is_served_when_it_is_named(collector, free_port):
    async with serving(free_port, collector, host="127.0.0.2"):
        with pytest.raises(aiohttp.ClientConnectionError):
            await scrape(free_port)
        assert "deltaml_inbox_inputs" in await scrape(free_port, "127.0.0.2")


async def test_a_port_in_use_is_named_with_a_remedy(collector, free_port):
    with socket.socket() as other:
        other.bind((LOOPBACK, free_port))
        other.listen()
        with pytest.raises(ConfigurationError, match=rf"{free_port}.*choose another port"):
            async with serving(free_port, collector):
                pytest.fail("served on a port that is taken")


async def test_without_a_port_nothing_listens(collector, free_port):
    async with serving(None, collector):
        with pytest.raises(aiohttp.ClientConnectionError):
            await scrape(free_port)
