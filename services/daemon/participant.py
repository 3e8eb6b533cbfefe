"""A daemon as a process: built from its configuration, registered, observed, drained when told to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import structlog

import services.chain.rpc.web3_provider  # noqa: F401  slow: while the loop waits for it nothing is answered
from protocol.marketplace import Register
from protocol.records import Market
from protocol.request import LEAST_KEY_BITS
from services.bus.open_bus import open_bus
from services.bus.port import BusUnavailable
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import ChainUnavailable
from services.chain.events.event_outbox import EventOutbox
from services.chain.events.listener import ChainListener
from services.chain.rpc.http import HttpRpc
from services.chain.rpc.new_heads import NewHeads
from services.chain.transactions.pending import SendPolicy
from services.common.files import read_passphrase
from services.config.daemons import (
    AggregatorConfig,
    Chain,
    ChainListenerConfig,
    Config,
    DataOwnerConfig,
    ModelBuyerConfig,
)
from services.console.app import serving as serving_console
from services.console.web.hub import Hub
from services.daemon.account_balance import Account
from services.daemon.console_factory import console_of
from services.daemon.monitor import folder_of, monitor
from services.daemon.shutdown import Stopping, until_told
from services.data.catalog import Catalog
from services.data.catalog_watcher import watch_catalog
from services.identity.directory import Directory
from services.identity.keystore import Keystore
from services.observability import tracing
from services.observability.counters import Meter
from services.observability.health import Health
from services.observability.heartbeat import Heartbeats
from services.observability.logging import configure
from services.observability.prometheus import Observed
from services.participants.data_owner import OwnerRole
from services.participants.federated_aggregator import AggregatorRole
from services.participants.model_buyer import BuyerRole
from services.participants.standing_orders import keep_ordering
from services.runtime.role_adapter import Role
from services.runtime.runtime import Runtime
from services.runtime.step_pool import StepPool
from services.store import Store
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)

_FIRST_PAUSE, _RETRY_SECONDS = 0.5, 5.0
_LONGEST_PAUSE = 300.0


def run_daemon(config: Config, *, least_key_bits: int = LEAST_KEY_BITS) -> None:
    """Run until SIGTERM or SIGINT. No configuration sets `least_key_bits`: shorter keys are for tests alone.

    Raises ConfigurationError for what the file or the key store says, WrongChain for the node, BusRefused for
    the broker: what a person has to mend. What may mend itself is waited for.
    """
    import uvloop  # noqa: PLC0415  not for --help

    configure(style=config.log.style, level=config.log.level.upper())
    stopping = Stopping()
    if isinstance(config, ChainListenerConfig):
        uvloop.run(until_told(_listener(config), stopping))
    else:
        uvloop.run(until_told(_participant(config, least_key_bits, stopping), stopping))


async def _participant(
    config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig, least_key_bits: int, stopping: Stopping
) -> None:
    keystore = Keystore.open(config.keystore, read_passphrase(config.passphrase_file))
    identity = keystore.identity
    market = market_of(config.chain)
    meter = Meter()
    async with AsyncExitStack() as stack:
        store = await _open_store(config, stack)
        rpc = await _connect(config.chain, stack)
        policy = SendPolicy(
            confirmations=config.chain.confirmations, poll_seconds=min(1.0, config.chain.poll_seconds)
        )
        client = MarketplaceClient(
            rpc, market, identity.signing_key, policy=policy, first_block=config.chain.first_block
        )
        bus = open_bus(config.broker)
        stack.push_async_callback(bus.close)
        final = MarketplaceViews(rpc, market, depth=config.chain.confirmations)
        directory = Directory(final)
        role = _role(config, store, final, directory, keystore)
        pool = StepPool(config.workers)
        stack.callback(pool.close)
        account, heartbeats = Account(client, identity.address), Heartbeats()
        health = Health({"broker": bus.connect, "chain": account.look, "store": store.ping})
        observed = Observed(
            role.name,
            identity.address,
            store,
            bus,
            health,
            heartbeats=heartbeats,
            ether=lambda: account.ether,
            folder=folder_of(config.store),
        )
        supervisor = await stack.enter_async_context(monitor(config, observed, meter, health, heartbeats))
        if config.traces.endpoint is not None:
            service = f"deltaml-{role.name}"
            tracing.configure(config.traces.endpoint, config.traces.sample_ratio, service, identity.address)
            stack.callback(tracing.close)
        hub = Hub()
        console = console_of(config, identity, store=store, bus=bus, client=client, hub=hub)
        runtime = Runtime(
            role,
            identity,
            market,
            store=store,
            bus=bus,
            client=client,
            directory=directory,
            pool=pool,
            meter=meter,
            heartbeats=heartbeats,
            retention_seconds=config.retention_days * 86400,
            least_key_bits=least_key_bits,
            on_change=hub.wake,
        )
        await stack.enter_async_context(serving_console(console))
        await retry_until_reachable(client.check_deployment)
        await retry_until_reachable(bus.connect)
        registration = Register(role=role.name, exchange_key=identity.exchange_key)
        await retry_until_reachable(lambda: client.submit(registration))
        pool.start()
        supervisor.status("works")
        _log.info("daemon_started", role=role.name, party=identity.address, contract=market.contract)
        stopping.drain_by(runtime.stop)
        await _with_duties(runtime, role, config)


async def _listener(config: ChainListenerConfig) -> None:
    market = market_of(config.chain)
    async with AsyncExitStack() as stack:
        store = await _open_store(config, stack)
        rpc = await _connect(config.chain, stack)
        bus = open_bus(config.broker)
        stack.push_async_callback(bus.close)
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
        probes = {"broker": bus.connect, "chain": MarketplaceViews(rpc, market).block_number}
        health = Health({**probes, "store": store.ping})
        heartbeats = Heartbeats()
        listener.on_cycle = lambda: heartbeats.beat("chain")
        outbox.on_cycle = lambda: heartbeats.beat("outbox")
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
        await retry_until_reachable(bus.connect)
        supervisor.status("works")
        _log.info("daemon_started", role="chain_listener", contract=market.contract)
        relay = outbox.run(
            lambda stream, event: retry_until_reachable(lambda: bus.publish_event(event, stream))
        )
        await run_until_first_exit(listener.run(), relay)


async def _open_store(config: Config, stack: AsyncExitStack) -> Store:
    """Raises StoreInUse when another process works on it; a database that is away is waited for."""
    password = config.store_password()
    store = await retry_while_unavailable(Store, config.store, password=password, exclusive=True)
    stack.callback(store.close)
    return store


async def _connect(chain: Chain, stack: AsyncExitStack) -> HttpRpc:
    heads = None
    if chain.websocket_url is not None:
        heads = await stack.enter_async_context(NewHeads(chain.websocket_url))
    rpc = HttpRpc(chain.url, heads=heads)
    stack.push_async_callback(rpc.close)
    return rpc


def market_of(chain: Chain) -> Market:
    """Which contract on which chain."""
    return Market(chain_id=chain.chain_id, contract=chain.contract)


def _role(
    config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig,
    store: Store,
    views: MarketplaceViews,
    directory: Directory,
    keystore: Keystore,
) -> Role:
    address = keystore.identity.address
    match config:
        case ModelBuyerConfig():
            return BuyerRole(store, address, keystore)
        case AggregatorConfig():
            return AggregatorRole(store, address, frozenset(config.admitted))
        case DataOwnerConfig():
            catalogue = Catalog(config.catalogue)
            return OwnerRole(
                store,
                views,
                directory,
                address=address,
                data_sets=catalogue.all,
                aggregators=config.aggregators,
                policy=config.policy.owner_policy(),
            )


async def _with_duties(
    runtime: Runtime, role: Role, config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig
) -> None:
    """Run, and beside it what the role does unasked: introductions, the catalogue, standing orders."""
    duties: list[Coroutine[Any, Any, None]] = []
    if isinstance(role, OwnerRole) and isinstance(config, DataOwnerConfig):
        catalogue = Catalog(config.catalogue)
        duties = [_introduce(runtime, role), watch_catalog(catalogue, role.undecided, runtime.offer)]
    if isinstance(config, ModelBuyerConfig) and config.standing_orders:
        duties = [keep_ordering(runtime, config.standing_orders, runtime.store)]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(duty) for duty in duties]
        await runtime.run()
        for duty in running:
            duty.cancel()


async def _introduce(runtime: Runtime, role: OwnerRole) -> None:
    pause = _RETRY_SECONDS
    while missing := role.announcements():
        for aggregator, body in missing:
            try:
                await runtime.send(aggregator, body)
            except Exception as error:  # noqa: BLE001  not registered yet, or the node is away: later
                _log.warning("announcement_waits", aggregator=aggregator, reason=type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def retry_until_reachable(action: Callable[[], Awaitable[Any]]) -> None:
    """Do what needs the node or the broker, again and again until they are there."""
    pause = _FIRST_PAUSE
    while True:
        try:
            await action()
        except (ChainUnavailable, BusUnavailable) as error:
            _log.warning("waiting", reason=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _RETRY_SECONDS)
        else:
            return


async def run_until_first_exit(*work: Coroutine[Any, Any, None]) -> None:
    """Until the first of them ends or dies; then without the others."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
