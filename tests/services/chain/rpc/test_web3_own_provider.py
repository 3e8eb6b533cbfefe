"""Why web3.py's codec is used and its transport is not: what that does, and ours does not."""

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from services.chain.errors import ChainUnavailable
from services.chain.rpc.http import MOST_RESPONSE_BYTES, HttpRpc
from tests.support.chain.scripted_node import SECRET


@pytest.fixture
async def rpc(server):
    async with HttpRpc(server.url, seconds=5) as rpc:
        yield rpc


@pytest.fixture
async def web3(server):
    """web3.py as it comes."""
    web3 = AsyncWeb3(AsyncHTTPProvider(server.url, exception_retry_configuration=None))
    yield web3
    await web3.provider.disconnect()


async def test_it_bounds_no_answer(server, rpc, web3) -> None:
    server.answer = lambda body: b'{"jsonrpc":"2.0","id":0,"result":"' + b"a" * MOST_RESPONSE_BYTES + b'"}'
    assert len(await web3.client_version) == MOST_RESPONSE_BYTES
    with pytest.raises(ChainUnavailable, match="larger than"):
        await rpc.call("web3_clientVersion")


async def test_it_tells_the_url_in_its_errors(server, rpc, web3) -> None:
    server.answer = lambda body: 1 / 0  # the server answers with status 500
    with pytest.raises(Exception, match=SECRET):
        await web3.eth.block_number
    with pytest.raises(ChainUnavailable) as caught:
        await rpc.call("eth_blockNumber")
    assert SECRET not in str(caught.value)
