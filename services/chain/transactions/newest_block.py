"""The newest block as everybody sees it who waits for a transaction of one key."""

import asyncio
import math

from services.chain.errors import ChainUnavailable, RpcError
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import quantity
from services.common.tasks import wait_for_event

_UNKNOWN = -1


class NewestBlock:
    """Asks the node for its newest block at most once a poll, on behalf of all that wait.

    Were each to ask for itself, the node would be asked as often as there are transactions under way.
    """

    def __init__(self, rpc: Rpc, poll_seconds: float) -> None:
        """A node that tells of its blocks is asked at once after each."""
        self._rpc, self._poll_seconds = rpc, poll_seconds
        self._lock = asyncio.Lock()
        self._asked_at = -math.inf
        self.number = _UNKNOWN
        """As of the last question; -1 while the node does not answer."""
        self.announced = asyncio.Event()
        """Set at the next block that the node tells of. Each block has its own: nobody clears another's."""
        rpc.on_block(self._on_block)

    async def pause(self, announced: asyncio.Event | None = None) -> None:
        """Until a block is announced (or was, since `announced` was taken), for one poll at most."""
        await wait_for_event(announced or self.announced, self._poll_seconds)

    async def wait_for_next(self, seen: int, announced: asyncio.Event, seconds: float) -> None:
        """At least one pause; longer while `seen` is still the newest block, for so many seconds at most."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        await self.pause(announced)
        while await self._ask() == seen and loop.time() < until:
            await self.pause()

    async def _ask(self) -> int:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at >= self._poll_seconds:
                try:
                    self.number = quantity(await self._rpc.call("eth_blockNumber"))
                except (ChainUnavailable, RpcError):
                    self.number = _UNKNOWN  # whoever looks finds out and says so
                self._asked_at = now
            return self.number

    def _on_block(self) -> None:
        self.announced.set()
        self.announced = asyncio.Event()
        self._asked_at = -math.inf
