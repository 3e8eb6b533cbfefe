"""A daemon under observation: metrics, health, heartbeats, and its supervisor told that it lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from protocol.asset import ETHER
from services.chain.contract.views import MarketplaceViews
from services.config.daemons import Daemon
from services.daemon.systemd import Supervisor
from services.observability.counters import Meter
from services.observability.health import Health
from services.observability.heartbeat import Heartbeats
from services.observability.prometheus import DaemonCollector, Observed, serving


@asynccontextmanager
async def monitor(
    config: Daemon, observed: Observed, meter: Meter, health: Health, heartbeats: Heartbeats
) -> AsyncIterator[Supervisor]:
    """Observe a daemon while the block runs.

    The supervisor hears READY at once: a node or a broker that is away is waited for as long as it takes, and
    a start that is bounded in time must not be ended for it.

    Raises ConfigurationError for a port that is taken.
    """
    supervisor = Supervisor()
    health.doing = lambda: supervisor.said
    collector = DaemonCollector([observed], meter)
    host, names = config.metrics_host, config.metrics_names
    async with serving(config.metrics_port, collector, health, host=host, names=names):
        tasks = [asyncio.create_task(health.run()), asyncio.create_task(heartbeats.run(supervisor.alive))]
        supervisor.ready()
        supervisor.status("waiting for node and broker")
        try:
            yield supervisor
        finally:
            supervisor.stopping()
            for task in tasks:
                task.cancel()


def folder_of(store: str) -> Path | None:
    """The folder of a store's file; None where the store is a database server's or in memory."""
    kind, _, path = store.partition(":///")
    return Path(path).absolute().parent if kind.startswith("sqlite") and path else None


class Account:
    """What an account holds for gas; asking is also how the node is probed.

    `ether` is None until the node has answered once.
    """

    def __init__(self, views: MarketplaceViews, address: str) -> None:
        self._views, self._address = views, address
        self.ether: float | None = None

    async def look(self) -> None:
        """Ask the node; raises ChainUnavailable or RpcError."""
        self.ether = await self._views.balance_of(self._address) / ETHER.whole
