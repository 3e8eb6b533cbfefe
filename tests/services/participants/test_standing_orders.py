"""Standing orders: once a period, the same id after a restart, a bad file reported and tried again."""

import asyncio
from pathlib import Path

import pytest

from protocol.request import parse_request
from services.config.daemons import StandingOrder
from services.participants.standing_orders import dated, keep_ordering
from services.store import Store
from tests.support.roles.small_markets import small_request

HOUR = 3600.0
YAML = Path(__file__).resolve().parents[3] / "REQUEST.yaml"


class Sink:
    """Takes the place of the runtime."""

    address = "0x" + "ab" * 20

    def __init__(self):
        self.sent = []
        self.arrived = asyncio.Event()

    async def send(self, recipient, body, *, message_id=None):
        self.sent.append((recipient, body.request.name, message_id))
        self.arrived.set()


@pytest.fixture
def store():
    opened = Store()
    yield opened
    opened.close()


async def run_until(sink, count, orders, store, clock):
    task = asyncio.create_task(keep_ordering(sink, orders, store, clock))
    async with asyncio.timeout(10):
        while len(sink.sent) < count:
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_order_is_given_once_in_its_period(store):
    orders = (StandingOrder(request=YAML, every_hours=24),)
    sink = Sink()
    await run_until(sink, 1, orders, store, lambda: 1_000_000.0)
    await run_until(sink, 1, orders, store, lambda: 1_000_500.0)  # after a restart
    assert len(sink.sent) == 1
    await run_until(sink, 2, orders, store, lambda: 1_000_000.0 + 24 * HOUR)
    (first, second) = sink.sent
    assert first[0] == Sink.address
    assert first[1] != second[1]
    assert first[2] != second[2]


async def test_a_crash_before_the_note_gives_the_same_message_again():
    orders = (StandingOrder(request=YAML, every_hours=24),)
    sink = Sink()
    for _ in range(2):
        fresh = Store()
        await run_until(sink, len(sink.sent) + 1, orders, fresh, lambda: 1_000_000.0)
        fresh.close()
    assert sink.sent[0] == sink.sent[1]


async def test_a_clock_that_steps_back_orders_nothing(store):
    orders = (StandingOrder(request=YAML, every_hours=1),)
    sink = Sink()
    await run_until(sink, 1, orders, store, lambda: 10 * HOUR)
    await run_until(sink, 1, orders, store, lambda: 5 * HOUR)
    assert len(sink.sent) == 1


async def test_a_file_that_is_mended_is_ordered_later(store, tmp_path):
    path = tmp_path / "request.yaml"
    path.write_text("name: broken\n")
    sink = Sink()
    task = asyncio.create_task(
        keep_ordering(
            sink,
            (StandingOrder(request=path, every_hours=1),),
            store,
            lambda: 10 * HOUR,
            retry_seconds=0.01,
        )
    )
    await asyncio.sleep(0.1)
    assert not sink.sent
    path.write_text(YAML.read_text())
    async with asyncio.timeout(10):
        await sink.arrived.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_periods_make_different_requests():
    request = parse_request({**small_request(), "aggregator": "0x" + "11" * 20})
    assert dated(request, 0).name == "test 1970-01-01 00:00:00"
    assert dated(request, 0).hash() != dated(request, HOUR).hash()
