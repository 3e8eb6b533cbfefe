"""The chain that a command was pointed at: a node by URL, else one of our own."""

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from services.chain.embedded.embedded_rpc import EmbeddedRpc, ProcessRpc
from services.chain.errors import InsufficientFunds, RpcError
from services.chain.rpc.http import HttpRpc, Rpc
from services.chain.rpc.values import quantity


def open_chain(
    url: str | None, *, apart: bool = False
) -> Callable[[tuple[str, ...], int], Coroutine[Any, Any, Rpc]]:
    """A function that connects and gives each of some new accounts wei.

    Only development nodes can, by `anvil_setBalance`; any other raises InsufficientFunds. A chain of our own
    runs in a thread of this process, or `apart` in a process.
    """

    async def connect(accounts: tuple[str, ...], wei: int) -> Rpc:
        rpc = _rpc_to(url, apart=apart)
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


def _rpc_to(url: str | None, *, apart: bool) -> Rpc:
    if url is not None:
        return HttpRpc(url)
    return ProcessRpc() if apart else EmbeddedRpc()
