"""New blocks told by a node's websocket: a reason to look at once, and nothing more.

What a head says is not read: whoever is woken asks the node itself. So a socket that is lost, late or wrong
costs time alone, as everybody looks every few seconds without it.

web3.py's websocket provider is not used: it does not notice a socket that closes before it answers, and it
logs the URL (tests/services/chain/rpc/test_new_heads.py shows both cases with this one).
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Self

import structlog
from pydantic_core import from_json
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from services.common.outages import Outage

_log = structlog.get_logger(__name__)

_SUBSCRIBE = '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}'
_SILENT = logging.getLogger("services.chain.rpc.new_heads.websocket")
_SILENT.disabled = True  # the library would log paths and headers: a provider's URL is often its access key


class _Refused(Exception):  # noqa: N818
    """The node does not tell of blocks."""


class NewHeads:
    """A subscription to a node's new blocks, kept up in the background while the context is open."""

    def __init__(self, url: str, *, first_pause: float = 1.0, longest_pause: float = 60.0) -> None:
        """`url` begins with ws:// or wss://; the pauses before the next attempt double, in seconds."""
        self._url = url
        self._first_pause, self._longest_pause = first_pause, longest_pause
        self._wakes: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._outage = Outage(_log, "heads_lost", "heads_followed")

    def on_block(self, wake: Callable[[], None]) -> None:
        """Call `wake` in the event loop after each new block, and after a gap in which one may have come."""
        self._wakes.append(wake)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((OSError, WebSocketException, ValueError, _Refused)),
            wait=wait_exponential(self._first_pause, max=self._longest_pause),
            before_sleep=self._tell,
        )
        while True:
            self._outage.failed(ConnectionError(await retrying(self._listen)))
            await asyncio.sleep(self._first_pause)

    async def _listen(self) -> str:
        """Wake until the socket is lost, and say how; raises where no subscription came about."""
        async with connect(self._url, proxy=None, logger=_SILENT) as socket:
            await _subscribe(socket)
            self._outage.works()
            self._wake()
            try:
                async for _ in socket:
                    self._wake()
            except (OSError, WebSocketException) as error:
                return type(error).__name__  # its text may hold the URL
        return "closed"

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:  # its text may hold the URL
            self._outage.failed(error, reason=type(error).__name__)

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()


async def _subscribe(socket: ClientConnection) -> None:
    await socket.send(_SUBSCRIBE)
    answer = from_json(await socket.recv())
    if not isinstance(answer, dict) or "result" not in answer:
        raise _Refused
