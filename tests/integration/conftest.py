"""What the markets of forked daemons share."""

from collections.abc import Iterator

import pytest

from tests.support.daemons.forked_daemons import DaemonForks


@pytest.fixture(scope="session")
def forks() -> Iterator[DaemonForks]:
    with DaemonForks() as running:
        yield running
