"""An aggregator that runs admits by its list as it is now."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from structlog.testing import capture_logs

from protocol.owner_policy import OwnerPolicy
from services.config.daemons import load
from services.participants.admission_watcher import watch_admitted, watch_aggregators
from services.participants.data_owner import OwnerRole
from services.participants.federated_aggregator import AggregatorRole
from services.store import Store
from tests.support.daemons.scripted_daemon import until
from tests.support.daemons.service_world import Person

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
    yield AggregatorRole(store, person.address, admitted)
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


@pytest.fixture
def owner(tmp_path):
    store, person = Store(), Person("data_owner")
    yield OwnerRole(
        store,
        address=person.address,
        data_sets=dict,
        aggregators=(OWNERS[0],),
        policy=OwnerPolicy(),
        file=tmp_path / "data-owner.yaml",
    )
    store.close()


async def test_an_owner_works_with_the_aggregators_that_its_file_names_now(owner):
    document = yaml.safe_load((SAMPLE.parent / "data-owner.yaml").read_text())
    told = []

    def write_aggregators(*aggregators):
        owner.file.write_text(yaml.safe_dump({**document, "aggregators": list(aggregators)}))

    write_aggregators(OWNERS[0])
    watching = asyncio.create_task(
        watch_aggregators(owner.file, owner, lambda: told.append(1), seconds=0.001)
    )
    write_aggregators(OWNERS[1], OWNERS[0])
    await until(lambda: owner.aggregators == (OWNERS[1], OWNERS[0]))
    assert {aggregator for aggregator, _ in owner.announcements()} == set(OWNERS[:2])
    with capture_logs() as logs:
        write_aggregators()
        await until(lambda: bool(logs))
    assert [entry["event"] for entry in logs] == ["aggregators_unreadable"]
    assert owner.aggregators == (OWNERS[1], OWNERS[0])
    assert told == [1]
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_another_daemon_s_file_in_its_place_changes_nothing(file, role):
    with capture_logs() as logs:
        watching = asyncio.create_task(watch_admitted(file, role, seconds=0.001))
        file.write_bytes((SAMPLE.parent / "data-owner.yaml").read_bytes())
        told = "configures the daemon data-owner"
        await until(lambda: watching.done() or any(told in entry.get("reason", "") for entry in logs))
        write(file, OWNERS[:5])
        await until(lambda: watching.done() or role.admitted == frozenset(OWNERS[:5]))
    assert not watching.done()
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
