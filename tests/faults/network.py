"""Links between a daemon and the broker or the node: cut, slow, half open."""

import asyncio
from types import MappingProxyType

from tests.faults.fault import Fault
from tests.faults.market import Training


class LinkFault(Fault):
    """One link of one daemon."""

    async def before(self) -> None:
        self.victim = self.anybody("listener")
        self.server = self.chance.choice(["broker", "broker", "node"])
        self.link = self.market.links[self.victim, self.server]
        self.link.counts.clear()

    async def fired(self, training: Training, *counts: str) -> None:
        """Keep the fault up until it has hit something, or the training is over."""
        while not any(self.link.counts[one] for one in counts):
            if self.market.shown_of("buyer", training)[1]:
                return
            await asyncio.sleep(0.05)

    def told(self, *counts: str) -> str:
        assert any(self.link.counts[one] for one in counts), self.link.counts
        return f"{self.victim} to {self.server}: {dict(self.link.counts)}"


class CutLink(LinkFault):
    """Every connection breaks, and new ones are refused for a while."""

    async def during(self, training: Training) -> None:
        await self.moment(training, 50)
        self.link.cut()
        await self.pause(0.2, 6.0)
        await self.fired(training, "cut", "refused")
        self.link.heal()

    async def after(self, training: Training) -> str:
        return self.told("cut", "refused")


class SlowLink(LinkFault):
    """Every chunk of bytes waits before it passes, for the whole training."""

    async def before(self) -> None:
        await super().before()
        self.link.delay = self.chance.uniform(0.02, 0.2)

    async def after(self, training: Training) -> str:
        seconds = self.link.delay
        self.link.heal()
        return f"{self.told('delayed')}, {seconds * 1000:.0f} ms each"


class HalfOpenLink(LinkFault):
    """Connections stay open and nothing passes on them any more; for a while nor on new ones, perhaps.

    The daemon finds out by what is not answered, and the broker, which gives the messages on their way to the
    next connection, by its heartbeats: the others wait for longer.
    """

    deadlines = MappingProxyType({"step_s": 20})

    async def during(self, training: Training) -> None:
        await self.moment(training, 50)
        self.link.half_open(newcomers=self.chance.random() < 0.5)
        await self.pause(1.0, 6.0)
        await self.fired(training, "swallowed")
        self.link.heal()

    async def after(self, training: Training) -> str:
        told = self.told("swallowed")
        self.link.drop()
        return told
