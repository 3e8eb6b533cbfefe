"""Metrics over HTTP: what a scrape shows, and a port that is taken."""

import socket

import aiohttp
import pytest

from services.bus.memory import MemoryBroker, MemoryBus
from services.errors import ConfigurationError
from services.meter import PHASES, Meter
from services.metrics import LOOPBACK, DaemonCollector, Observed, serving
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


async def scrape(port):
    async with aiohttp.ClientSession() as session, session.get(f"http://{LOOPBACK}:{port}/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


async def test_a_scrape_shows_states_depths_and_phases(collector, free_port):
    async with serving(free_port, collector):
        text = await scrape(free_port)
    assert 'deltaml_trainings{party="0xab",role="data_owner",state="IN_PROGRESS"} 1.0' in text
    assert 'deltaml_inbox_inputs{party="0xab",role="data_owner"} 1.0' in text
    assert 'deltaml_outbox_effects{party="0xab",role="data_owner"} 3.0' in text
    assert 'deltaml_phase_seconds_total{phase="training"} 1.5' in text
    assert all(f'phase="{phase}"' in text for phase in PHASES)


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
