"""Why web3.py's codec is used and its transport is not: what that does, and ours does not."""

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from protocol.records import Market
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import CallReverted, ChainUnavailable
from services.chain.rpc.http import MOST_RESPONSE_BYTES, HttpRpc
from tests.support.chain.scripted_node import SECRET

CONTRACT = "0x" + "1" * 40


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


async def test_no_contract_can_send_us_to_a_url(server, rpc) -> None:
    """EIP-3668: web3.py would follow the revert `OffchainLookup` by itself."""
    data = "0x556f1830" + "0" * 64
    server.answer = lambda body: {
        "jsonrpc": "2.0",
        "id": body["id"],
        "error": {"code": 3, "message": "reverted", "data": data},
    }
    with pytest.raises(CallReverted):
        await MarketplaceViews(rpc, Market(chain_id=1, contract=CONTRACT)).total_escrow()
    assert len(server.bodies) == 1
