"""web3.py over our transport, and why not over its own."""

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from services.chain.contract.abi import marketplace_artifact
from services.chain.errors import ChainUnavailable, RpcError
from services.chain.rpc.http import MOST_RESPONSE_BYTES, HttpRpc
from services.chain.rpc.web3_provider import web3_over
from tests.support.chain.scripted_node import SECRET

CONTRACT = "0x" + "1" * 40


@pytest.fixture
async def rpc(server):
    async with HttpRpc(server.url, seconds=5) as rpc:
        yield rpc


def answer_of(content):
    return lambda body: {"jsonrpc": "2.0", "id": body["id"], **content}


async def test_each_read_is_one_request(server, rpc) -> None:
    server.answer = answer_of({"result": "0x" + "0" * 64})
    web3 = web3_over(rpc)
    contract = web3.eth.contract(address=CONTRACT, abi=marketplace_artifact()["abi"])
    assert await contract.functions.totalEscrow("0x" + "0" * 40).call(block_identifier=7) == 0
    assert await web3.eth.get_balance(CONTRACT) == 0
    assert await web3.eth.block_number == 0
    assert [(body["method"], body["params"][1:]) for body in server.bodies] == [
        ("eth_call", ["0x7"]),
        ("eth_getBalance", ["latest"]),
        ("eth_blockNumber", []),
    ]


async def test_refusals_and_silence_are_ours(server, rpc) -> None:
    server.answer = answer_of({"error": {"code": 3, "message": "no", "data": "0x0102"}})
    with pytest.raises(RpcError) as caught:
        await web3_over(rpc).eth.block_number
    assert (caught.value.code, caught.value.data) == (3, b"\1\2")
    server.answer = lambda body: b"<html>"
    with pytest.raises(ChainUnavailable, match="not JSON"):
        await web3_over(rpc).eth.block_number


async def test_a_contract_cannot_send_us_to_a_url(server, rpc) -> None:
    """EIP-3668: web3.py would follow the revert `OffchainLookup` by itself."""
    server.answer = answer_of({"error": {"code": 3, "message": "reverted", "data": "0x556f1830" + "0" * 64}})
    contract = web3_over(rpc).eth.contract(address=CONTRACT, abi=marketplace_artifact()["abi"])
    with pytest.raises(RpcError):
        await contract.functions.totalEscrow("0x" + "0" * 40).call()
    assert len(server.bodies) == 1


@pytest.fixture
async def web3(server):
    """web3.py as it comes."""
    web3 = AsyncWeb3(AsyncHTTPProvider(server.url, exception_retry_configuration=None))
    yield web3
    await web3.provider.disconnect()


async def test_web3_s_own_provider_bounds_no_answer(server, rpc, web3) -> None:
    server.answer = lambda body: b'{"jsonrpc":"2.0","id":0,"result":"' + b"a" * MOST_RESPONSE_BYTES + b'"}'
    assert len(await web3.client_version) == MOST_RESPONSE_BYTES
    with pytest.raises(ChainUnavailable, match="larger than"):
        await web3_over(rpc).client_version


async def test_web3_s_own_provider_tells_the_url_in_its_errors(server, web3) -> None:
    server.answer = lambda body: 1 / 0  # the server answers with status 500
    with pytest.raises(Exception, match=SECRET):
        await web3.eth.block_number
