"""An aggregator that runs admits by its list as it is now."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from structlog.testing import capture_logs

from services.config.daemons import load
from services.participants.admission_watcher import watch_admitted
from services.participants.federated_aggregator import AggregatorRole
from services.store import Store
from tests.support.daemons.scripted_daemon import until
from tests.support.daemons.service_world import FakeChain, Person

SAMPLE = Path(__file__).parents[3] / "deploy" / "config" / "aggregator.yaml"
OWNERS = [f"0x{number:040x}" for number in range(1, 7)]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "aggregator.yaml"
    write(path, OWNERS[:4])
    return path


@pytest.fixture
def role(file):
    store, person = Store(), Person("federated_aggregator")
    admitted = frozenset(load(file, "aggregator").admitted)
    yield AggregatorRole(store, FakeChain(person).seat_keys(), person.address, admitted)
    store.close()


def write(path, owners):
    document = yaml.safe_load(SAMPLE.read_text())
    path.write_text(yaml.safe_dump({**document, "admitted": owners}))


async def test_owners_come_on_the_list_and_go_while_the_aggregator_runs(file, role):
    role.store.put_value(f"announced:{OWNERS[0]}", b"")
    watching = asyncio.create_task(watch_admitted(file, role, seconds=0.001))
    write(file, OWNERS[:6])
    await until(lambda: role.admitted == frozenset(OWNERS))
    assert role.announced() == (OWNERS[0],)
    write(file, OWNERS[1:5])
    await until(lambda: role.admitted == frozenset(OWNERS[1:5]))
    assert role.announced() == ()
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_a_bad_file_changes_nothing_and_is_told_once(file, role):
    with capture_logs() as logs:
        watching = asyncio.create_task(watch_admitted(file, role, seconds=0.001))
        write(file, OWNERS[:2])  # fewer than a training needs
        await until(lambda: bool(logs))
        assert role.admitted == frozenset(OWNERS[:4])
        file.unlink()
        write(file, OWNERS[:5])
        await until(lambda: role.admitted == frozenset(OWNERS[:5]))
    told = [entry["event"] for entry in logs]
    assert told[0] == "admission_list_unreadable"
    assert told[-1] == "admission_list_changed"
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
