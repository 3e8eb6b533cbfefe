"""An owner's console."""

import pytest

from tests.support.console.world import ConsoleWorld


@pytest.fixture
async def world(tmp_path):
    async with ConsoleWorld(tmp_path, "data_owner").running() as running:
        yield running
