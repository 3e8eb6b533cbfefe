"""What a fault is to the runner."""

import asyncio
from collections.abc import Mapping
from random import Random
from types import MappingProxyType

from tests.faults.market import BOUND_SECONDS, FaultMarket, Training

LAST_MESSAGE = 75
"""A training passes about 90 messages, so a moment up to this one is reached."""


class Fault:
    """One fault in one training; what is random about it comes from `chance`, `index` counts its class."""

    deadlines: Mapping[str, int] = MappingProxyType({})
    rounds = 2
    must_finish = False
    """Whether the training may not even fail cleanly."""

    def __init__(self, market: FaultMarket, chance: Random, index: int) -> None:
        self.market, self.chance, self.index = market, chance, index

    async def before(self) -> None:
        """Before the training is ordered."""

    async def during(self, training: Training) -> None:
        """While it runs."""

    async def after(self, training: Training) -> str:
        """When it has ended: mend what is broken, assert that the fault fired, tell what it was."""
        raise NotImplementedError

    async def moment(self, training: Training, last: int = LAST_MESSAGE) -> int:
        """Wait until a random number of the training's messages has passed the broker, or it has ended."""
        return await self.passed(training, self.chance.randint(1, last))

    async def passed(self, training: Training, count: int) -> int:
        """Wait until so many of the training's messages have passed the broker, or it has ended.

        A training that an earlier part of the fault, or a machine that hardly ran, has ended passes no more.
        """
        reached = asyncio.create_task(self.market.traffic.reached(training.mark, count, BOUND_SECONDS))
        try:
            while not (await asyncio.wait([reached], timeout=0.5))[0]:
                self.market.check_daemons()
                if self.has_ended(training):
                    return count
            await reached
        finally:
            reached.cancel()
        return count

    def has_ended(self, training: Training) -> bool:
        """Whether it is over for the buyer."""
        return self.market.shown_of("buyer", training)[1]

    def anybody(self, *others: str) -> str:
        """A random daemon: each role is as likely as the others."""
        owner = self.chance.choice(self.market.owners)
        return self.chance.choice(["buyer", "aggregator", owner, *others])

    async def pause(self, least: float, most: float) -> float:
        """Let a random time pass."""
        seconds = self.chance.uniform(least, most)
        await asyncio.sleep(seconds)
        return seconds
