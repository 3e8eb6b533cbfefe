import pytest

from tests.support.chain.scripted_node import running_server


@pytest.fixture
async def server():
    async with running_server() as server:
        yield server
