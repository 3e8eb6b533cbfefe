"""A chain of our own, behind the same port as a node: for the demo and for tests.

py-evm blocks whoever runs it, so the ledger lives in a thread of its own, or for a whole market in a process:
beside a thread the market's daemons would wait for the interpreter, some milliseconds at each turn. Nothing
else ever touches it. It mines each transaction at once and forgets everything when it is closed.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from services.chain.errors import ChainUnavailable, RpcError
from services.chain.rpc.http import Request
from services.common.worker_process import WorkerNotStartedError, WorkerProcess

if TYPE_CHECKING:
    from services.chain.embedded.evm import Ledger

_GONE = "the embedded chain's process was ended, and the chain is gone: start a new one"
_CHAIN_ID = 1337
"""Development chains have this one: mainnet's signatures are of no use here, nor the reverse."""


class LedgerRpc(ABC):
    """The Rpc port over a Ledger, on which nobody has ether at first (see anvil_setBalance)."""

    def __init__(self) -> None:
        self._closed = False
        self._wakes: list[Callable[[], None]] = []

    async def call(self, method: str, *parameters: Any) -> Any:
        """One request; see the port."""
        (answer,) = await self.batch([(method, list(parameters))])
        return answer

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Several requests in one trip to the ledger; see the port."""
        if self._closed:
            raise ChainUnavailable("the embedded chain is closed: start a new one")
        return await self._asked(requests) if requests else []

    def on_block(self, wake: Callable[[], None]) -> None:
        """See the port."""
        self._wakes.append(wake)

    async def close(self) -> None:
        """End what the ledger is in; the chain and its ether are gone."""
        self._closed = True
        self._wakes.clear()
        await self._ended()

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()

    @abstractmethod
    async def _asked(self, requests: Sequence[Request]) -> list[Any]:
        """Have the ledger answer, where it is."""

    @abstractmethod
    async def _ended(self) -> None:
        """End where it is."""


class EmbeddedRpc(LedgerRpc):
    """With the ledger in a thread of this process."""

    def __init__(self, chain_id: int = _CHAIN_ID, clock: Callable[[], float] = time.time) -> None:
        """Create it in the event loop that will use it; `clock` is its blocks' time."""
        super().__init__()
        self._chain_id, self._clock = chain_id, clock
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(1, "embedded-chain")
        self._ledger: Ledger | None = None

    @override
    async def _asked(self, requests: Sequence[Request]) -> list[Any]:
        return await self._loop.run_in_executor(self._executor, self._answers, requests)

    @override
    async def _ended(self) -> None:
        """Once it has answered what it is at."""
        await self._loop.run_in_executor(None, self._executor.shutdown)

    def _answers(self, requests: Sequence[Request]) -> list[Any]:
        """In the ledger's thread."""
        if self._ledger is None:
            from services.chain.embedded.evm import Ledger  # noqa: PLC0415  a second to import, spent here

            announce = partial(self._loop.call_soon_threadsafe, self._wake)
            self._ledger = Ledger(self._chain_id, self._clock, announce)
        return [self._ledger.answer(method, parameters) for method, parameters in requests]


class ProcessRpc(LedgerRpc):
    """With the ledger in a process of its own, which loads py-evm while this one goes on."""

    def __init__(self, chain_id: int = _CHAIN_ID) -> None:
        """The process is on its way when this returns."""
        super().__init__()
        self._chain_id = chain_id
        self._process = WorkerProcess("services.chain.embedded.evm")

    @property
    def pid(self) -> int:
        """The process, once it has started."""
        return self._process.pid

    async def watch(self) -> None:
        """Wait until the process has ended, and raise ChainUnavailable: who asks again would ask for ever."""
        await self._process.ended()
        self._closed = True
        raise ChainUnavailable(_GONE)

    @override
    async def _asked(self, requests: Sequence[Request]) -> list[Any]:
        """Its answers; raises ChainUnavailable when the process has ended, and the chain with it."""
        try:
            mined, answers = await self._process.run(_answers_apart, self._chain_id, list(requests))
        except BrokenProcessPool:
            self._closed = True
            raise ChainUnavailable(_GONE) from None
        except WorkerNotStartedError:
            self._closed = True
            raise ChainUnavailable(
                "the embedded chain's process could not be started: give it memory, and start a new one"
            ) from None
        if mined:
            self._wake()
        if isinstance(answers, RpcError):
            raise answers
        return list(answers)

    @override
    async def _ended(self) -> None:
        await self._process.close()


_apart: list["Ledger"] = []
"""The ledger of this process, where it is one that a ProcessRpc has started."""
_blocks: list[None] = []
"""As many as were mined and nobody was told of: an answer that could not be given tells of none."""


def _answers_apart(chain_id: int, requests: Sequence[Request]) -> tuple[bool, list[Any] | RpcError]:
    """In the ledger's process: (whether a block was mined, the answers or the refusal of one)."""
    if not _apart:
        from services.chain.embedded.evm import Ledger  # noqa: PLC0415  as above

        _apart.append(Ledger(chain_id, time.time, partial(_blocks.append, None)))
    try:
        answers: list[Any] | RpcError = [_apart[0].answer(*request) for request in requests]
    except RpcError as refusal:
        answers = refusal
    mined = bool(_blocks)
    _blocks.clear()
    return mined, answers
