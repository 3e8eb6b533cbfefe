"""Standing orders: once a period, the same id after a restart, a bad file reported and tried again."""

import asyncio
from pathlib import Path

import pytest
import structlog
import yaml

from protocol.request_parsing import parse_request
from services.common.errors import ConfigurationError
from services.config.daemons import StandingOrder
from services.participants.standing_orders import check_standing_orders, dated, keep_ordering
from services.store import Store
from tests.support.daemons.command_line import refused
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
    async with asyncio.timeout(300):
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
    async with asyncio.timeout(300):
        await sink.arrived.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


REFUSED = {
    "a deposit below the contract's floor": (
        {"payment": {"deposit_wei": "999999"}, "schedule": {"rounds": 100}, "owners": {"maximum": 5}},
        "a deposit of 999999 wei is too low for 100 rounds of 5 owners: the contract asks for 5000000 wei",
    ),
    "a name without room for the date": (
        {"name": "n" * 81},
        "name: it has 81 characters; that of a standing order, to which the date is added, has 80 at most",
    ),
    "columns without a scale": (
        {"scale": "none", "bounds": {"min_rows": 60}},
        "these rounds cannot be checked: rounds are checked between scaled columns alone; set scale: range",
    ),
    "numbers that could overflow": (
        {"bounds": {"weight_bits": 24, "residual_bits": 64, "min_rows": 60}},
        "bounds.residual_bits is 64; with 3 trainers the contract takes errors of 33 bits: lower it",
    ),
}


@pytest.mark.parametrize(("changes", "told"), REFUSED.values(), ids=REFUSED)
def test_what_could_not_be_ordered_keeps_a_daemon_from_starting(tmp_path, changes, told):
    path = request_file(tmp_path, changes)
    orders = (StandingOrder(request=YAML, every_hours=24), StandingOrder(request=path, every_hours=24))
    with pytest.raises(ConfigurationError) as error:
        check_standing_orders(orders)
    assert str(error.value).startswith(f"standing_orders.1.request: {path}: {told}")


def test_a_file_that_is_missing_keeps_a_daemon_from_starting(tmp_path):
    missing = StandingOrder(request=tmp_path / "nothing.yaml", every_hours=24)
    with pytest.raises(ConfigurationError, match=r"standing_orders\.0\.request: .*nothing\.yaml"):
        check_standing_orders((missing,))


def test_a_buyers_daemon_refuses_to_start_with_such_an_order(tmp_path):
    """Before it opens its key store, broker or node: there are none here."""
    path = request_file(tmp_path, REFUSED["a deposit below the contract's floor"][0])
    config = tmp_path / "model-buyer.yaml"
    sample = yaml.safe_load((YAML.parent / "deploy" / "config" / "model-buyer.yaml").read_text())
    order = {"request": path.name, "every_hours": 24}
    config.write_text(yaml.safe_dump({**sample, "standing_orders": [order]}))
    assert "999999 wei is too low" in refused("model-buyer", "--config", config)


@pytest.mark.parametrize("changes", [changes for changes, _ in REFUSED.values()], ids=REFUSED)
async def test_a_file_that_becomes_so_later_is_reported_and_orders_nothing(store, tmp_path, changes):
    path = request_file(tmp_path, changes)
    sink = Sink()
    orders = (StandingOrder(request=path, every_hours=1),)
    with structlog.testing.capture_logs() as lines:
        task = asyncio.create_task(keep_ordering(sink, orders, store, lambda: 10 * HOUR, retry_seconds=0.01))
        async with asyncio.timeout(300):
            while not lines:
                await asyncio.sleep(0.005)
        assert {line["event"] for line in lines} == {"standing_order_failed"}
        assert not sink.sent
        path.write_text(YAML.read_text())
        async with asyncio.timeout(300):
            await sink.arrived.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def request_file(folder, changes):
    path = folder / "request.yaml"
    document = yaml.safe_load(YAML.read_text())
    if "start" in changes:
        del document["start"]
    merged = {
        name: {**document.get(name, {}), **change} if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    path.write_text(yaml.safe_dump({**document, **merged}))
    return path


def test_periods_make_different_requests():
    request = parse_request({**small_request(), "aggregator": "0x" + "11" * 20})
    assert dated(request, 0).name == "test 1970-01-01 00:00:00"
    assert dated(request, 0).hash() != dated(request, HOUR).hash()
