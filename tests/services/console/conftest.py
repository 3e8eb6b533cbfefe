"""A buyer's console and somebody who has signed in to it."""

import pytest

from tests.support.console.world import Browser, ConsoleWorld


@pytest.fixture
async def world(tmp_path):
    async with ConsoleWorld(tmp_path).running() as running:
        yield running


@pytest.fixture
async def browser(world):
    async with Browser(world) as one:
        await one.sign_in()
        yield one
