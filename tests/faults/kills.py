"""kill -9 of every daemon at every kind of step, of the broker, and of the node."""

import asyncio
import signal
from types import MappingProxyType

from tests.faults.fault import Fault
from tests.faults.market import Training

_OWNER = {
    "store_messages": 3,
    "store_event": 9,
    "ack": 12,
    "step": 12,
    "write_step": 12,
    "publish": 2,
    "effects_done": 4,
    "submit": 2,
    "broadcast": 2,
}
_PASSED = {
    "owner": _OWNER,
    "buyer": {**_OWNER, "store_messages": 6, "ack": 20, "step": 18, "publish": 8, "effects_done": 7},
    "aggregator": {**_OWNER, "store_messages": 9, "ack": 30, "step": 28, "publish": 40, "submit": 5},
    "listener": {"save_cursor": 20, "publish_event": 40, "effects_done": 8},
}
"""How often at least a training without faults passes each place."""

_ALWAYS = [
    (role, f"{when} {point}") for when in ("before", "after") for role in _PASSED for point in _PASSED[role]
]
PLACES = [*_ALWAYS, *((role, "before commit") for role in ("owner", "buyer", "aggregator"))]
"""`before commit` is inside a transaction: a step's state and effects are written, its input is not done."""


class KillDaemon(Fault):
    """kill -9 at one of the places, and a start right after or a little later."""

    async def before(self) -> None:
        role, self.place = PLACES[self.index % len(PLACES)]
        self.victim = self.chance.choice(self.market.owners) if role == "owner" else role
        most = _PASSED[role].get(self.place.split()[1], 12)
        self.times = self.chance.randint(1, most)
        self.pause_seconds = self.chance.choice([0.0, 0.0, self.chance.uniform(0.2, 3.0)])
        self.market.blamed.add(self.victim)
        self.daemon = self.market.daemons[self.victim]
        self.daemon.board.arm(self.place, self.times)

    async def during(self, training: Training) -> None:
        await self.market.died(self.victim)
        self.pid, self.code = self.daemon.pid, self.daemon.exit_code
        await self.market.restart(self.victim, self.pause_seconds)

    async def after(self, training: Training) -> str:
        assert self.code == -signal.SIGKILL
        assert self.daemon.board["fired"] == 1
        return f"{self.victim}, pid {self.pid}, {self.place}, time {self.times}, {self.pause_seconds:.1f} s"


class KillBroker(Fault):
    """kill -9 of RabbitMQ, and a start on the same data."""

    async def during(self, training: Training) -> None:
        self.count = await self.moment(training)
        self.pid = self.market.rabbitmq.kill()
        await self.pause(0.0, 1.0)
        await asyncio.to_thread(self.market.rabbitmq.start)

    async def after(self, training: Training) -> str:
        assert self.pid is not None
        return f"broker, pid {self.pid}, at message {self.count}"


class KillNode(Fault):
    """kill -9 of the node, and a start on the same blocks: its pool of transactions is lost."""

    async def during(self, training: Training) -> None:
        self.count = await self.moment(training)
        self.pid = await self.market.node.kill()
        await self.pause(0.0, 2.0)
        await self.market.node.start()

    async def after(self, training: Training) -> str:
        assert self.market.node.process is not None
        assert self.market.node.process.pid != self.pid
        return f"node, pid {self.pid}, at message {self.count}"


class OwnersDropOut(Fault):
    """A third of the owners is gone in the middle of the training and comes back when it is over."""

    deadlines = MappingProxyType({"step_s": 2, "chain_s": 2})

    async def during(self, training: Training) -> None:
        await self.passed(training, self.chance.randint(26, 70))
        self.gone = self.chance.sample(self.market.owners, len(self.market.owners) // 3)
        self.pids = []
        for name in self.gone:
            self.market.blamed.add(name)
            self.market.daemons[name].kill()
            self.pids.append(self.market.daemons[name].pid)
        await self._over(training)
        for name in self.gone:
            await self.market.restart(name)

    async def _over(self, training: Training) -> None:
        async with asyncio.timeout(240):
            while not all(self.market.shown_of(name, training)[1] for name in ("buyer", "aggregator")):
                await asyncio.sleep(0.1)

    async def after(self, training: Training) -> str:
        assert len(set(self.pids)) == 2
        return f"{' and '.join(self.gone)} away from the middle on, pids {self.pids}"
