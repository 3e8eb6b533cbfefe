"""Reorganisations of the chain, within the confirmations that roles wait for and beyond them."""

from tests.faults.fault import Fault
from tests.faults.market import Training
from tests.support.daemon_market import CONFIRMATIONS
from tests.support.reorganisation import FATES, reorganise


class Reorganisation(Fault):
    """The newest blocks are replaced three times; their transactions come again, or are lost."""

    depths = (1, CONFIRMATIONS)

    async def during(self, training: Training) -> None:
        self.replaced: list[int] = []
        rpc = self.market.node.rpc
        for last in (15, 45, 75):
            await self.moment(training, last)
            depth, fate = self.chance.randint(*self.depths), self.chance.choice(FATES)
            head = int(await rpc.call("eth_blockNumber"), 16)
            before = await rpc.call("eth_getBlockByNumber", hex(head), False)
            await reorganise(rpc, depth, fate)
            after = await rpc.call("eth_getBlockByNumber", hex(head), False)
            if before["hash"] != after["hash"]:
                self.replaced.append(depth)

    async def after(self, training: Training) -> str:
        assert self.replaced
        return f"blocks replaced: {self.replaced}"


class DeepReorganisation(Reorganisation):
    """More blocks are replaced than the roles wait for: what they took for final is no longer there."""

    depths = (CONFIRMATIONS + 1, CONFIRMATIONS + 8)
