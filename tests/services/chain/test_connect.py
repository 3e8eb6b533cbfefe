"""The chain that a command was pointed at."""

import pytest
from aiohttp import web

from protocol.errors import MisuseError
from protocol.signatures import address_of
from services.chain.connect import open_chain
from services.chain.embedded.embedded_rpc import EmbeddedRpc, ProcessRpc
from services.chain.errors import ChainUnavailable, InsufficientFunds
from services.chain.rpc.values import quantity

ACCOUNTS = (address_of(b"\x01" * 32), address_of(b"\x02" * 32))


@pytest.fixture
async def mainnet():
    """A node that knows no development methods."""

    async def answer(request):
        asked = await request.json()
        reply = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] == "eth_chainId":
            return web.json_response({**reply, "result": "0x1"})
        return web.json_response({**reply, "error": {"code": -32601, "message": "no such method"}})

    application = web.Application()
    application.add_routes([web.post("/", answer)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def balances(rpc):
    return [quantity(await rpc.call("eth_getBalance", account, "latest")) for account in ACCOUNTS]


@pytest.mark.parametrize("apart", [False, True])
async def test_without_a_url_there_is_a_funded_chain_in_the_process_or_beside_it(apart):
    rpc = await open_chain(None, apart=apart)(ACCOUNTS, 5)
    assert isinstance(rpc, ProcessRpc if apart else EmbeddedRpc)
    assert await balances(rpc) == [5, 5]
    await rpc.close()


async def test_a_development_node_funds_the_accounts(anvil_url):
    rpc = await open_chain(anvil_url)(ACCOUNTS, 10**18)
    assert await balances(rpc) == [10**18, 10**18]
    await rpc.close()


async def test_any_other_node_gives_nothing_away(mainnet):
    with pytest.raises(InsufficientFunds, match=r"anvil_setBalance.*start anvil, or leave --chain out"):
        await open_chain(mainnet)(ACCOUNTS, 1)


async def test_a_node_that_is_not_there(mainnet):
    closed = mainnet.rpartition(":")[0] + ":1"
    with pytest.raises(ChainUnavailable, match="check that it runs"):
        await open_chain(closed)(ACCOUNTS, 1)


async def test_a_url_that_cannot_be_used():
    with pytest.raises(MisuseError, match="give one like"):
        await open_chain("node")(ACCOUNTS, 1)
