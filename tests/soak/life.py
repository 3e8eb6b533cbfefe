"""A simulated day: every hour takes some seconds, and what happens in it follows a schedule."""

import asyncio
import secrets
import signal
import time
from collections import defaultdict
from random import Random

from services.common.files import write_private
from services.data.catalog import Catalog
from tests.soak.market import SoakMarket
from tests.soak.readings import Observer
from tests.soak.schedule import Event
from tests.support.daemons.daemon_market import CHEAP

_DEADLINES = {"join_s": 60, "reveal_s": 60, "step_s": 30, "chain_s": 60}


class Life:
    """Lives through a schedule; a context's `observer` looks on."""

    def __init__(
        self, market: SoakMarket, observer: Observer, *, seconds_per_hour: float, random: Random
    ) -> None:
        self._market, self._observer, self._random = market, observer, random
        self._seconds_per_hour = seconds_per_hour
        self._ordered = 0
        # One daemon is disturbed by one event at a time: the next waits until it is back.
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.done: list[Event] = []

    async def live(self, events: list[Event], hours: float) -> int:
        """Until the day is over and everything disturbed is back; returns how many trainings were ordered."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(self._watch())
            work = [tasks.create_task(self._at(event, began)) for event in events]
            await asyncio.gather(*work)
            await asyncio.sleep(max(0.0, began + hours * self._seconds_per_hour - time.monotonic()))
            watch.cancel()
        return self._ordered

    async def _watch(self) -> None:
        while True:
            await self._observer.look()
            await asyncio.sleep(2)

    async def _at(self, event: Event, began: float) -> None:
        await asyncio.sleep(max(0.0, began + event.hour * self._seconds_per_hour - time.monotonic()))
        async with self._turns[event.party]:
            await getattr(self, f"_{event.action}")(event)
        self.done.append(event)

    async def _order(self, event: Event) -> None:
        self._ordered += 1
        name = f"life {self._ordered}"
        await self._market.order(event.party, self._market.request(name, self._random, **_DEADLINES))

    async def _kill(self, event: Event) -> None:
        daemon = self._market.daemons[event.party]
        await asyncio.to_thread(daemon.kill)
        daemon.start()

    async def _restart(self, event: Event) -> None:
        await self._away(event)

    async def _away(self, event: Event) -> None:
        daemon = self._market.daemons[event.party]
        status = await asyncio.to_thread(daemon.stop)
        # One that was started a moment ago does not listen to the signal yet: it just ends.
        assert status in (0, -signal.SIGTERM), self._market.tail(daemon)
        await asyncio.sleep(event.lasts * self._seconds_per_hour)
        daemon.start()

    async def _rotate(self, event: Event) -> None:
        self._market.keystore(event.party).rotate_exchange_key()
        await self._away(event)

    async def _passphrase(self, event: Event) -> None:
        passphrase = secrets.token_hex(12)
        self._market.keystore(event.party).change_passphrase(passphrase, CHEAP)
        write_private(self._market.passphrase_file(event.party), passphrase.encode())

    async def _remove_data(self, event: Event) -> None:
        catalogue = self._catalogue(event)
        statistic = catalogue.load("rows")
        catalogue.remove("rows")
        await asyncio.sleep(event.lasts * self._seconds_per_hour)
        catalogue.add("rows", statistic, "rows.csv")

    async def _add_data(self, event: Event) -> None:
        catalogue = self._catalogue(event)
        catalogue.add("more-rows", catalogue.load("rows"), "rows.csv")

    def _catalogue(self, event: Event) -> Catalog:
        return Catalog(self._market.folder / f"{event.party}-data")
