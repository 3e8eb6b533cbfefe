"""A chain inside this process, behind the same port as a node: for the demo and for tests.

py-evm blocks whoever runs it, so the ledger lives in a thread of its own and nothing else ever touches it. It
mines each transaction at once and forgets everything when it is closed.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from services.chain.errors import ChainUnavailable
from services.chain.rpc.http import Request

if TYPE_CHECKING:
    from services.chain.embedded.evm import Ledger

DEFAULT_CHAIN_ID = 1337
"""What development chains call themselves; mainnet's signatures are of no use here and the reverse."""


class EmbeddedRpc:
    """The Rpc port over a Ledger. Create it with `start`, in the event loop that will use it."""

    def __init__(self, executor: ThreadPoolExecutor, loop: asyncio.AbstractEventLoop) -> None:
        """Use `start`: a chain without its ledger answers nothing."""
        self._executor = executor
        self._loop = loop
        self._ledger: Ledger | None = None
        self._wakes: list[Callable[[], None]] = []

    @classmethod
    async def start(
        cls, chain_id: int = DEFAULT_CHAIN_ID, clock: Callable[[], float] = time.time
    ) -> "EmbeddedRpc":
        """A new chain on which nobody has ether (see anvil_setBalance); `clock` is its blocks' time."""
        chain = cls(ThreadPoolExecutor(1, "embedded-chain"), asyncio.get_running_loop())

        def create() -> "Ledger":
            from services.chain.embedded.evm import Ledger  # noqa: PLC0415  a second to import, spent in the thread

            return Ledger(chain_id, clock, chain._announce)

        try:
            chain._ledger = await chain._in_thread(create)
        except BaseException:
            await chain.close()
            raise
        return chain

    async def call(self, method: str, *parameters: Any) -> Any:
        """One request; see the port."""
        ledger = self._open_ledger()
        return await self._in_thread(lambda: ledger.answer(method, list(parameters)))

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Several requests in one trip to the thread; see the port."""
        ledger = self._open_ledger()
        if not requests:
            return []
        answers: list[Any] = await self._in_thread(
            lambda: [ledger.answer(name, given) for name, given in requests]
        )
        return answers

    def on_block(self, wake: Callable[[], None]) -> None:
        """See the port."""
        self._wakes.append(wake)

    async def close(self) -> None:
        """End the thread once it has answered what it is at; the chain and its ether are gone."""
        self._ledger = None
        self._wakes.clear()
        await self._loop.run_in_executor(None, self._executor.shutdown)

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await self._loop.run_in_executor(self._executor, work)

    def _open_ledger(self) -> "Ledger":
        if self._ledger is None:
            raise ChainUnavailable("the embedded chain is closed: start a new one")
        return self._ledger

    def _announce(self) -> None:
        """In the ledger's thread, after each block."""
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()
