"""web3.py over our own transport.

web3.py's own HTTP provider reads an answer of any size and shows the node's URL, often a provider's access
key, in its errors; its middlewares ask the node for its chain id at every call. So only its contract objects
and typed reads are used, over the Rpc port: RpcError and ChainUnavailable pass through it unchanged.

Importing this module imports web3.py, which takes over a second: import it where it is needed.
"""

from typing import Any

from web3 import AsyncWeb3
from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from services.chain.rpc.http import Rpc
from services.chain.rpc.values import octets


class RpcProvider(AsyncBaseProvider):
    """Hands web3.py's requests to an Rpc."""

    global_ccip_read_enabled = False
    """A contract must not send us to a URL of its choice."""

    def __init__(self, rpc: Rpc) -> None:
        """`rpc` stays the caller's to close."""
        super().__init__()
        self._rpc = rpc

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One request; raises what the Rpc raises, ChainUnavailable for a call's answer that is no data."""
        result = await self._rpc.call(method, *params)
        if method == "eth_call":
            octets(result)  # web3.py would stumble over anything else, each time in another way
        return {"jsonrpc": "2.0", "id": 0, "result": result}


def web3_over(rpc: Rpc) -> AsyncWeb3[RpcProvider]:
    """web3.py on a node, without middlewares and names: one request for each call that is answered."""
    return AsyncWeb3(RpcProvider(rpc), middleware=[], ens=None)
