import pytest

from services.chain.embedded.embedded_rpc import EmbeddedRpc
from services.chain.rpc.http import HttpRpc
from tests.support.chain.anvil import running_anvil
from tests.support.chain.chain_market import ChainMarket
from tests.support.chain.registered_market import registered_market


@pytest.fixture
async def embedded():
    rpc = EmbeddedRpc()
    yield rpc
    await rpc.close()


@pytest.fixture
async def market(embedded):
    return await ChainMarket.create(embedded)


@pytest.fixture(scope="session")
def anvil_url():
    with running_anvil() as url:
        yield url


@pytest.fixture
async def anvil(anvil_url):
    async with HttpRpc(anvil_url) as rpc:
        yield rpc


@pytest.fixture
async def anvil_market(anvil):
    return await ChainMarket.create(anvil)


@pytest.fixture
async def registered():
    market = await registered_market()
    yield market
    await market.rpc.close()
