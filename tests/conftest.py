"""What tests of several folders share."""

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from tests.support.broker.own_rabbitmq import OwnBroker, own_broker
from tests.support.broker.rabbitmq import Server, shared_server
from tests.support.database.postgresql import fresh_schema, shared_database
from tests.support.late_collection import plugin_of, without_garbage_collection
from tests.support.scheduling import Together

settings.register_profile(
    "untimed", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")
"""A busy machine may pause any example: how long one takes says nothing."""


def pytest_configure(config: pytest.Config) -> None:
    plugin = plugin_of(config)
    if plugin is not None:
        config.pluginmanager.register(plugin)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together | None:
    return Together(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and tests stay to the end: nobody looks for garbage among them again."""
    with without_garbage_collection():
        found = yield
        gc.freeze()
    return found


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def rabbitmq(run_folder: Path) -> Iterator[Server]:
    """A real broker, the same for all processes of this run; see `tests.support.broker.rabbitmq`."""
    with shared_server(run_folder) as server:
        yield server


@pytest.fixture(scope="session")
def own_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBroker]:
    """This process' own broker; `tests.support.scheduling` gives one process all files that kill it."""
    with own_broker(tmp_path_factory.mktemp("certificates") / "authority") as own:
        yield own


@pytest.fixture
def own(own_rabbitmq: OwnBroker) -> OwnBroker:
    """The same, running whatever a test before has left."""
    if not own_rabbitmq.broker.is_running:
        own_rabbitmq.broker.start()
    return own_rabbitmq


@pytest.fixture(scope="session")
def postgresql(run_folder: Path) -> Iterator[str]:
    """The URL of a real PostgreSQL database, the same for all processes of this run."""
    with shared_database(run_folder) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store that is not there yet, on each of the databases."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'private' / 'daemon.sqlite'}"
        return
    with fresh_schema(request.getfixturevalue("postgresql")) as url:
        yield url
