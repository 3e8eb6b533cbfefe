"""A daemon as a process: built from its configuration, registered, observed, drained when told to stop."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack

import structlog

import services.chain.rpc.web3_provider  # noqa: F401  slow: while the loop waits for it nothing is answered
from protocol.request import LEAST_KEY_BITS
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.views import MarketplaceViews
from services.chain.transactions.pending import SendPolicy
from services.common.files import read_passphrase
from services.config.daemons import (
    AggregatorConfig,
    ChainListenerConfig,
    Config,
    DataOwnerConfig,
    ModelBuyerConfig,
    Traces,
)
from services.console.app import serving as serving_console
from services.console.web.hub import Hub
from services.daemon.account_balance import Account
from services.daemon.chain_listener import run_listener
from services.daemon.connections import Connections, connect, retry_until_reachable
from services.daemon.console_factory import console_of
from services.daemon.monitor import folder_of, monitor
from services.daemon.shutdown import Stopping, until_told
from services.daemon.systemd import Supervisor
from services.identity.keystore import Keystore
from services.observability import tracing
from services.observability.counters import Meter
from services.observability.health import Health
from services.observability.heartbeat import Heartbeats
from services.observability.logging import configure
from services.observability.prometheus import Observed
from services.participants.assembly import Assembly, Participant, setup_of

_log = structlog.get_logger(__name__)

ParticipantConfig = ModelBuyerConfig | DataOwnerConfig | AggregatorConfig


def run_daemon(config: Config, *, least_key_bits: int = LEAST_KEY_BITS) -> None:
    """Run until SIGTERM or SIGINT. No configuration sets `least_key_bits`: shorter keys are for tests alone.

    Raises ConfigurationError for what the file or the key store says, WrongChain for the node, BusRefused for
    the broker: what a person has to mend. What may mend itself is waited for.
    """
    import uvloop  # noqa: PLC0415  not for --help

    configure(style=config.log.style, level=config.log.level.upper())
    stopping = Stopping()
    if isinstance(config, ChainListenerConfig):
        uvloop.run(until_told(run_listener(config), stopping))
    else:
        uvloop.run(until_told(_run_participant(config, least_key_bits, stopping), stopping))


async def _run_participant(config: ParticipantConfig, least_key_bits: int, stopping: Stopping) -> None:
    keystore = Keystore.open(config.keystore, read_passphrase(config.passphrase_file))
    meter, heartbeats, hub = Meter(), Heartbeats(), Hub()
    async with AsyncExitStack() as stack:
        connections = await connect(config, stack)
        assembly = Assembly(config.workers, meter, least_key_bits=least_key_bits)
        stack.callback(assembly.pool.close)
        participant = assembly.participant(
            setup_of(config, keystore),
            keystore.identity,
            store=connections.store,
            bus=connections.bus,
            client=_client(config, connections, keystore),
            final=MarketplaceViews(connections.rpc, connections.market, depth=config.chain.confirmations),
            heartbeats=heartbeats,
            retention_seconds=config.retention_days * 86400,
            on_change=hub.wake,
        )
        supervisor = await stack.enter_async_context(
            _monitor(config, participant, connections, meter, heartbeats)
        )
        _trace(config.traces, participant, stack)
        await stack.enter_async_context(_console(config, participant, hub))
        await retry_until_reachable(participant.client.check_deployment)
        await retry_until_reachable(connections.bus.connect)
        await retry_until_reachable(participant.register)
        assembly.pool.start()
        supervisor.status("works")
        _log.info(
            "daemon_started",
            role=participant.runtime.role.name,
            party=participant.identity.address,
            contract=connections.market.contract,
        )
        stopping.drain_by(participant.runtime.stop)
        await participant.run()


def _client(config: ParticipantConfig, connections: Connections, keystore: Keystore) -> MarketplaceClient:
    chain = config.chain
    policy = SendPolicy(confirmations=chain.confirmations, poll_seconds=min(1.0, chain.poll_seconds))
    return MarketplaceClient(
        connections.rpc,
        connections.market,
        keystore.identity.signing_key,
        policy=policy,
        first_block=chain.first_block,
    )


def _monitor(
    config: ParticipantConfig,
    participant: Participant,
    connections: Connections,
    meter: Meter,
    heartbeats: Heartbeats,
) -> AbstractAsyncContextManager[Supervisor]:
    store, bus = connections.store, connections.bus
    account = Account(participant.client, participant.identity.address)
    health = Health({"broker": bus.connect, "chain": account.look, "store": store.ping})
    observed = Observed(
        participant.runtime.role.name,
        participant.identity.address,
        store,
        bus,
        health,
        heartbeats=heartbeats,
        ether=lambda: account.ether,
        folder=folder_of(config.store),
    )
    return monitor(config, observed, meter, health, heartbeats)


def _trace(traces: Traces, participant: Participant, stack: AsyncExitStack) -> None:
    if traces.endpoint is not None:
        service = f"deltaml-{participant.runtime.role.name}"
        tracing.configure(traces.endpoint, traces.sample_ratio, service, participant.identity.address)
        stack.callback(tracing.close)


def _console(
    config: ParticipantConfig, participant: Participant, hub: Hub
) -> AbstractAsyncContextManager[int | None]:
    return serving_console(
        console_of(
            config,
            participant.identity,
            store=participant.store,
            bus=participant.bus,
            client=participant.client,
            hub=hub,
        )
    )
