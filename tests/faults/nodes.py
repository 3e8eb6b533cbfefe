"""Nodes that refuse, fail, lag, go back, talk nonsense or take their time: each training ends well."""

import asyncio
from types import MappingProxyType

from tests.faults.chain import DeepReorganisation
from tests.faults.fault import Fault
from tests.faults.manners import (
    BATCH_REFUSALS,
    PAGE_FAILURES,
    SLOWNESS,
    FailingPages,
    Garbage,
    RefusedBatches,
    Slowness,
)
from tests.faults.market import Training
from tests.faults.node_proxy import Manner
from tests.faults.views import (
    LAGS,
    LogsLater,
    PartialView,
    behind,
    everything,
    one_of_two,
    restored,
    stuck_at,
)
from tests.support.daemons.daemon_market import CONFIRMATIONS

_WAYS = 4
_HISTORY = 150
"""Blocks from which on a listener without memory reads ranges: more than its window."""


class NodeFault(Fault):
    """The node of one daemon, or of all of them, has a manner; with patient deadlines nobody is given up."""

    deadlines = MappingProxyType({"join_s": 90, "reveal_s": 60, "step_s": 60, "chain_s": 60})
    must_finish = True

    def choose_victims(self) -> None:
        """All daemons, as where they share a provider, for each of a fault's ways; then one alone."""
        alone = self.index // _WAYS % 2
        self.victims = [self.anybody("listener")] if alone else list(self.market.daemons)

    def serve(self, manner: Manner) -> None:
        self.manner = manner
        links = [self.market.links[name, "node"] for name in self.victims]
        self.market.node_proxy.serve(links, manner)

    async def after(self, training: Training) -> str:
        self.market.node_proxy.leave()
        assert self.manner.counts
        whose = "all" if len(self.victims) == len(self.market.daemons) else " and ".join(self.victims)
        return f"node of {whose}: {self.manner.counts}"


class BatchesRefused(NodeFault):
    """For the whole training no batch is answered as one."""

    async def before(self) -> None:
        self.choose_victims()
        self.serve(RefusedBatches(BATCH_REFUSALS[self.index % len(BATCH_REFUSALS)], self.chance))


class LogPagesFail(NodeFault):
    """The buyer looks for its openings, and a listener with an empty store for all events, by small pages."""

    async def before(self) -> None:
        self.victims = ["buyer", "listener"]
        node = self.market.node
        missing = self.market.first_block + _HISTORY - int(await node.rpc.call("eth_blockNumber"), 16)
        if missing > 0:
            async with node.still:
                await node.rpc.call("anvil_mine", hex(missing), "0x0")
        way = PAGE_FAILURES[self.index % len(PAGE_FAILURES)]
        least = 100 if way == "timeout" else 30
        self.serve(FailingPages(way, self.chance.randint(least, 2 * least), self.chance))

    async def during(self, training: Training) -> None:
        await self.moment(training, 45)
        self.market.blamed.add("listener")
        self.market.daemons["listener"].kill()
        for file in self.market.folder.glob("listener.sqlite*"):
            file.unlink()
        await self.market.restart("listener")


class LaggingNode(NodeFault):
    """The newest blocks are not there yet for some seconds, or their logs are not."""

    async def during(self, training: Training) -> None:
        self.choose_victims()
        way = LAGS[self.index % len(LAGS)]
        blocks = self.chance.randint(CONFIRMATIONS + 2, 12)
        await self.moment(training, 40)
        if way == "blocks before logs":
            self.serve(LogsLater(blocks))
            return
        head = int(await self.market.node.rpc.call("eth_blockNumber"), 16)
        lags = {"stuck": stuck_at(head), "behind": behind(blocks)}
        view = PartialView(lags.get(way) or one_of_two(blocks, self.chance))
        self.serve(view)
        if way == "stuck":
            await self.pause(2.0, 15.0)
            view.last = everything


class RestoredNode(NodeFault):
    """The node goes back to an older state and imports the same blocks again, at its own speed."""

    async def during(self, training: Training) -> None:
        self.choose_victims()
        await self.moment(training, 60)
        head = int(await self.market.node.rpc.call("eth_blockNumber"), 16)
        self.back = self.chance.randint(5, 40)
        speed = self.chance.uniform(7.0, 15.0)
        self.serve(PartialView(restored(max(self.market.first_block, head - self.back), speed)))

    async def after(self, training: Training) -> str:
        return f"{await super().after(training)}, {self.back} blocks back"


class RestoredChain(DeepReorganisation):
    """The only node of a chain is restored to an older state: other blocks follow, transactions are gone."""

    depths = (1, CONFIRMATIONS + 6)

    async def replace(self, depth: int, fate: str) -> None:
        """The head goes back; the next blocks come when they come."""
        await self.market.node.rpc.call("anvil_rollback", depth)


class GarbageAnswers(NodeFault):
    """For the whole training a part of the answers is no answer."""

    async def before(self) -> None:
        self.choose_victims()
        self.serve(Garbage(self.chance.uniform(0.03, 0.12), self.chance))


class SlowAnswers(NodeFault):
    """Answers take seconds, come in drops, or do not all come, for a part of the training."""

    async def during(self, training: Training) -> None:
        self.choose_victims()
        way = SLOWNESS[self.index % len(SLOWNESS)]
        await self.moment(training, 40)
        manner = Slowness(way, self.chance.uniform(0.3, 2.0), self.chance)
        self.serve(manner)
        await self.pause(5.0, 15.0)
        while not manner.counts and not self.has_ended(training):
            await asyncio.sleep(0.05)
        manner.healed = True
