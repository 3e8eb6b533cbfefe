"""The chain listener as a process: built from its configuration, observed."""

from contextlib import AsyncExitStack
from functools import partial

import structlog

from services.chain.contract.verification import check_contract
from services.chain.contract.views import MarketplaceViews
from services.chain.events.event_outbox import EventOutbox
from services.chain.events.listener import ChainListener
from services.common.tasks import run_until_first_exit
from services.config.daemons import ChainListenerConfig
from services.daemon.connections import connect, retry_until_reachable
from services.daemon.monitor import folder_of, monitor
from services.observability.counters import Meter
from services.observability.health import Health
from services.observability.heartbeat import Heartbeats
from services.observability.prometheus import Observed

_log = structlog.get_logger(__name__)


async def run_listener(config: ChainListenerConfig) -> None:
    """Follow the chain and publish its events until cancelled; raises WrongChain and DeepReorganisation."""
    async with AsyncExitStack() as stack:
        connections = await connect(config, stack)
        store, bus, rpc, market = connections.store, connections.bus, connections.rpc, connections.market
        outbox = EventOutbox(store, market)
        listener = ChainListener(
            rpc,
            market,
            outbox,
            confirmations=config.chain.confirmations,
            first_block=config.chain.first_block,
            window=config.window,
            poll_seconds=config.chain.poll_seconds,
        )
        heartbeats = Heartbeats()
        listener.on_cycle = lambda: heartbeats.beat("chain")
        outbox.on_cycle = lambda: heartbeats.beat("outbox")
        node = MarketplaceViews(rpc, market)

        async def ask_node() -> None:
            await node.block_number()
            listener.check()

        health = Health({"broker": bus.connect, "chain": ask_node, "store": store.ping})
        observed = Observed(
            "chain_listener",
            market.contract,
            store,
            bus,
            health,
            listener.blocks,
            heartbeats,
            folder=folder_of(config.store),
        )
        supervisor = await stack.enter_async_context(monitor(config, observed, Meter(), health, heartbeats))
        contract = MarketplaceViews(rpc, market, first_block=config.chain.first_block)
        await retry_until_reachable(partial(check_contract, contract))
        await retry_until_reachable(bus.connect)
        supervisor.status("works")
        _log.info("daemon_started", role="chain_listener", contract=market.contract)
        relay = outbox.run(
            lambda stream, event: retry_until_reachable(lambda: bus.publish_event(event, stream))
        )
        await run_until_first_exit(listener.run(), relay)
