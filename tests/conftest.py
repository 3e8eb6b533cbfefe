"""What tests of several folders share."""

import os
from collections.abc import Iterator

import pytest

from tests.support.rabbitmq import Server, shared_server


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real broker, the same for all processes of this run; see `tests.support.rabbitmq`."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with shared_server(folder) as server:
        yield server
