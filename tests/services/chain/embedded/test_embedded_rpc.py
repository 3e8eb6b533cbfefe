"""The embedded chain in a thread and in a process of its own: the same answers, and both tell of blocks."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from services.chain.embedded.embedded_rpc import EmbeddedRpc, LedgerRpc, ProcessRpc
from services.chain.errors import ChainUnavailable, RpcError

ACCOUNT = "0x" + "ab" * 20
REVERT = {"data": "0x60066000fd"}


@pytest.fixture(params=[EmbeddedRpc, ProcessRpc])
async def rpc(request: pytest.FixtureRequest) -> AsyncIterator[LedgerRpc]:
    made: LedgerRpc = request.param()
    yield made
    await made.close()


async def test_it_answers_refuses_and_tells_of_blocks_wherever_it_is(rpc: LedgerRpc) -> None:
    told: list[str] = []
    rpc.on_block(lambda: told.append("block"))
    assert await rpc.batch([]) == []
    asked = [("eth_blockNumber", []), ("anvil_setBalance", [ACCOUNT, "0x7"])]
    assert (await rpc.batch([*asked, ("eth_getBalance", [ACCOUNT, "latest"])]))[::2] == ["0x0", "0x7"]
    with pytest.raises(RpcError) as refused:
        await rpc.call("eth_call", REVERT, "latest")
    assert (refused.value.code, refused.value.message) == (3, "execution reverted")
    assert refused.value.data == bytes(6)
    assert str(refused.value) == "eth_call: execution reverted (code 3)"
    assert not told
    # The block is told of although the batch that it was mined in was refused.
    with pytest.raises(RpcError, match="does not know this method"):
        await rpc.batch([("evm_mine", []), ("eth_unknown", [])])
    assert await rpc.call("eth_blockNumber") == "0x1"
    assert told == ["block"]


async def test_a_closed_chain_says_so(rpc: LedgerRpc) -> None:
    await rpc.close()
    with pytest.raises(ChainUnavailable, match="is closed: start a new one"):
        await rpc.call("eth_chainId")


async def test_a_chain_whose_process_is_ended_is_gone_and_says_so() -> None:
    rpc = ProcessRpc(chain_id=77)
    assert await rpc.call("eth_chainId") == "0x4d"
    os.kill(rpc.pid, signal.SIGKILL)
    with pytest.raises(ChainUnavailable, match="was ended, and the chain is gone"):
        await rpc.call("eth_chainId")
    with pytest.raises(ChainUnavailable, match="is closed"):
        await rpc.call("eth_chainId")
    await rpc.close()


async def test_whoever_watches_a_chain_is_told_of_its_end() -> None:
    rpc = ProcessRpc(chain_id=77)
    assert await rpc.call("eth_chainId") == "0x4d"
    watching = asyncio.create_task(rpc.watch())
    await asyncio.sleep(0)
    assert not watching.done()
    os.kill(rpc.pid, signal.SIGKILL)
    with pytest.raises(ChainUnavailable, match="was ended, and the chain is gone"):
        await watching
    await rpc.close()


async def test_a_block_is_told_of_with_the_next_answer_where_its_own_could_not_be_given() -> None:
    rpc, told = ProcessRpc(), list[str]()
    rpc.on_block(lambda: told.append("block"))
    with pytest.raises(TypeError):
        await rpc.batch([("evm_mine", []), ("eth_blockNumber", 7)])
    assert not told
    assert await rpc.call("eth_blockNumber") == "0x1"
    assert told == ["block"]
    await rpc.close()
