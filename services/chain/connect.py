"""The chain that a command was pointed at: a node by URL, else one embedded in the process."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from services.chain.embedded.embedded_rpc import EmbeddedRpc
from services.chain.errors import InsufficientFunds, RpcError
from services.chain.rpc.http import HttpRpc, Rpc
from services.chain.rpc.values import quantity


def open_chain(url: str | None) -> Callable[[tuple[str, ...], int], Awaitable[Rpc]]:
    """A function that connects and gives each of some new accounts wei.

    Only development nodes can, by `anvil_setBalance`; any other raises InsufficientFunds.
    """

    async def connect(accounts: tuple[str, ...], wei: int) -> Rpc:
        rpc: Rpc = EmbeddedRpc() if url is None else HttpRpc(url)
        async with AsyncExitStack() as failed:
            failed.push_async_callback(rpc.close)
            try:
                quantity(await rpc.call("eth_chainId"))
                for account in accounts:
                    await rpc.call("anvil_setBalance", account, hex(wei))
            except RpcError as error:
                raise InsufficientFunds(
                    f"the node does not fund new accounts ({error}); the demo needs anvil or its embedded "
                    "chain: start anvil, or leave --chain out"
                ) from None
            failed.pop_all()
        return rpc

    return connect
