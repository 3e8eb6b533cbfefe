"""A chain inside this process, behind the same port as a node: for the demo and for tests.

py-evm blocks whoever runs it, so the ledger lives in a thread of its own and nothing else ever touches it. It
mines each transaction at once and forgets everything when it is closed.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from services.chain.errors import ChainUnavailable
from services.chain.rpc.http import Request

if TYPE_CHECKING:
    from services.chain.embedded.evm import Ledger


class EmbeddedRpc:
    """The Rpc port over a Ledger, on which nobody has ether at first (see anvil_setBalance)."""

    def __init__(self, chain_id: int = 1337, clock: Callable[[], float] = time.time) -> None:
        """Create it in the event loop that will use it; `clock` is its blocks' time.

        Development chains have this chain id: mainnet's signatures are of no use here, nor the reverse.
        """
        self._chain_id, self._clock = chain_id, clock
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, "embedded-chain")
        self._closed = False
        self._ledger: Ledger | None = None
        self._wakes: list[Callable[[], None]] = []

    async def call(self, method: str, *parameters: Any) -> Any:
        """One request; see the port."""
        (answer,) = await self.batch([(method, list(parameters))])
        return answer

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Several requests in one trip to the thread; see the port."""
        if self._closed:
            raise ChainUnavailable("the embedded chain is closed: start a new one")
        if not requests:
            return []
        return await self._loop.run_in_executor(self._executor, self._answers, requests)

    def on_block(self, wake: Callable[[], None]) -> None:
        """See the port."""
        self._wakes.append(wake)

    async def close(self) -> None:
        """End the thread once it has answered what it is at; the chain and its ether are gone."""
        self._closed = True
        self._wakes.clear()
        await self._loop.run_in_executor(None, self._executor.shutdown)

    def _answers(self, requests: Sequence[Request]) -> list[Any]:
        """In the ledger's thread."""
        if self._ledger is None:
            from services.chain.embedded.evm import Ledger  # noqa: PLC0415  a second to import, spent here

            announce = partial(self._loop.call_soon_threadsafe, self._wake)
            self._ledger = Ledger(self._chain_id, self._clock, announce)
        return [self._ledger.answer(method, parameters) for method, parameters in requests]

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()
