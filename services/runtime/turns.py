"""Who may begin next, of those who wait for one of a few places."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count


class Turns:
    """So many places; of those who wait the lowest rank comes first, and of a rank whoever came first.

    Who waits may be kept waiting for as long as lower ranks come.
    """

    def __init__(self, places: int) -> None:
        """`places` are 1 or more."""
        self._free = places
        self._numbers = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, rank: int) -> AsyncIterator[None]:
        """Have a place inside the block."""
        await self._take(rank)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, rank: int) -> None:
        if self._free:
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (rank, next(self._numbers), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it was given a place, and does not come for it
                self._give_back()
            raise

    def _give_back(self) -> None:
        while self._waiting:
            _, _, place = heappop(self._waiting)
            if not place.done():  # whoever is waiting still
                place.set_result(None)
                return
        self._free += 1
