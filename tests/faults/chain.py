"""Reorganisations of the chain, within the confirmations that roles wait for and beyond them."""

import asyncio
import time
from types import MappingProxyType

from tests.faults.fault import Fault
from tests.faults.market import Training
from tests.support.chain.reorganisation import FATES, reorganise
from tests.support.daemons.daemon_market import CONFIRMATIONS

_NOTICE_SECONDS = 3.0


class Reorganisation(Fault):
    """The newest blocks are replaced three times; their transactions come again, or are lost."""

    depths = (1, CONFIRMATIONS)
    moments = (15, 45, 75)

    async def during(self, training: Training) -> None:
        self.replaced: list[int] = []
        for last in self.moments:
            await self.moment(training, last)
            if self.replaced and self.has_ended(training):
                return
            depth, fate = self.chance.randint(*self.depths), self.chance.choice(FATES)
            async with self.market.node.still:
                await self.replace(depth, fate)
            self.replaced.append(depth)

    async def replace(self, depth: int, fate: str) -> None:
        """Put others in the places of so many blocks."""
        await reorganise(self.market.node.rpc, depth, fate)

    async def after(self, training: Training) -> str:
        assert self.replaced
        return f"blocks replaced: {self.replaced}"


class DeepReorganisation(Reorganisation):
    """More blocks are replaced than the roles wait for: what they took for final is no longer there."""

    depths = (CONFIRMATIONS + 1, CONFIRMATIONS + 8)
    moments = (75,)
    deadlines = MappingProxyType({"join_s": 15, "reveal_s": 6, "step_s": 3, "chain_s": 3})

    async def during(self, training: Training) -> None:
        self.market.blamed.add("listener")
        await super().during(training)
        self.stopped = await self._stopped()
        if self.stopped:
            self._start_with_an_empty_store()
        self.market.blamed.discard("listener")

    async def _stopped(self) -> bool:
        """Whether the listener refuses to go on, as it does where events vanished that roles acted on."""
        until = time.monotonic() + _NOTICE_SECONDS
        while time.monotonic() < until and self.market.daemons["listener"].exit_code is None:
            await asyncio.sleep(0.05)
        return self.market.daemons["listener"].exit_code is not None

    def _start_with_an_empty_store(self) -> None:
        """What the listener tells its operator to do."""
        listener = self.market.daemons["listener"]
        assert "DeepReorganisation" in listener.tail(5), listener.tail()
        for file in self.market.folder.glob("listener.sqlite*"):
            file.unlink()
        listener.start()

    async def after(self, training: Training) -> str:
        told = await super().after(training)
        return f"{told}, the listener {'stopped and began anew' if self.stopped else 'went on'}"
