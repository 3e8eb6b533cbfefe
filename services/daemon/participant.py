"""A daemon as a process: built from its configuration, registered, observed, drained when told to stop."""

import os
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial

import structlog
import web3  # noqa: F401  slow: while the loop waits for it nothing is answered

from protocol.records import Market
from protocol.request import LEAST_KEY_BITS
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.verification import check_contract
from services.chain.contract.views import MarketplaceViews
from services.chain.events.verification import EventVerifier
from services.chain.known_tokens import check_tokens
from services.chain.transactions.pending import SendPolicy
from services.common.files import read_passphrase
from services.config.daemons import (
    ChainListenerConfig,
    Config,
    ModelBuyerConfig,
    ParticipantConfig,
)
from services.console.app import Console
from services.console.app import serving as serving_console
from services.console.buyer.scoring import uploads_folder
from services.console.owner.uploads import forget_uploads
from services.console.party import BuyerResources, OwnerResources, Party
from services.console.web.hub import Hub
from services.daemon.chain_listener import run_listener
from services.daemon.connections import Connections, connect, retry_until_reachable
from services.daemon.monitor import Account, folder_of, monitor
from services.daemon.refusal_notes import refusal_notes
from services.daemon.shutdown import Stopping, until_told
from services.daemon.systemd import Supervisor
from services.identity.directory import Directory
from services.identity.keystore import Keystore
from services.identity.operator_orders import orders_over
from services.native.loading import use_arithmetic
from services.observability import tracing
from services.observability.health import Health
from services.observability.logging import LOG_FILE, configure
from services.observability.prometheus import Observed
from services.participants.assembly import Participant, role_of
from services.participants.data_owner import OwnerRole
from services.participants.kept_rounds import check_kept_rounds
from services.participants.standing_orders import check_standing_orders
from services.runtime.resources import Resources
from services.runtime.role_adapter import Role
from services.runtime.step_pool import StepPool
from services.store.waiting import retry_while_unavailable

_log = structlog.get_logger(__name__)


def run_daemon(config: Config, *, least_key_bits: int = LEAST_KEY_BITS) -> None:
    """Run until SIGTERM or SIGINT. No configuration sets `least_key_bits`: shorter keys are for tests alone.

    Raises ConfigurationError for what the file, a standing order or the key store says and for other rounds
    than a training in the store has, WrongChain for the node, BusRefused for the broker: what a person has to
    mend. What may mend itself is waited for.
    """
    import uvloop  # noqa: PLC0415  not for --help

    configure(style=config.log.style, level=config.log.level.upper(), file=os.environ.get(LOG_FILE))
    stopping = Stopping()
    if isinstance(config, ChainListenerConfig):
        uvloop.run(until_told(run_listener(config), stopping))
    else:
        uvloop.run(until_told(_run_participant(config, least_key_bits, stopping), stopping))


async def _run_participant(config: ParticipantConfig, least_key_bits: int, stopping: Stopping) -> None:
    if isinstance(config, ModelBuyerConfig):
        check_standing_orders(config.standing_orders)
    keystore = Keystore.open(config.keystore, read_passphrase(config.passphrase_file))
    hub = Hub()
    async with AsyncExitStack() as stack:
        connections = await connect(config, stack)
        await retry_while_unavailable(check_kept_rounds, connections.store)
        pool = StepPool(config.workers)
        stack.push_async_callback(pool.close)
        newest = MarketplaceViews(connections.rpc, connections.market)
        final = MarketplaceViews(connections.rpc, connections.market, depth=config.chain.confirmations)
        directory = Directory(final)
        client = _client(config, connections, keystore)
        node = EventVerifier(newest, confirmations=config.chain.confirmations)
        client.known_block = node.newest_block
        resources = Resources(
            role=await role_of(config, keystore, connections.store),
            directory=directory,
            identity=keystore.identity,
            market=connections.market,
            store=connections.store,
            bus=connections.bus,
            client=client,
            node=node,
            pool=pool,
            signed_rounds=keystore.signed_rounds(),
            least_key_bits=least_key_bits,
            retention_seconds=config.retention_days * 86400,
            node_is_away=lambda: connections.rpc.is_away,
            on_change=hub.wake,
        )
        participant = Participant.of(resources)
        supervisor = await stack.enter_async_context(_monitor(config, resources, participant))
        role, address = resources.role.name, resources.identity.address
        if config.traces.endpoint is not None:
            tracing.configure(config.traces.endpoint, config.traces.sample_ratio, f"deltaml-{role}", address)
            stack.callback(tracing.close)
        await stack.enter_async_context(serving_console(_console(config, resources, hub)))
        await retry_until_reachable(partial(check_contract, resources.client))
        await retry_until_reachable(partial(check_tokens, connections.rpc, config.assets))
        await retry_until_reachable(resources.bus.connect)
        await retry_until_reachable(participant.register)
        pool.start()
        supervisor.status("works")
        _log.info("daemon_started", role=role, party=address, contract=resources.market.contract)
        stopping.drain_by(participant.runtime.stop)
        await participant.run()


def _client(config: ParticipantConfig, connections: Connections, keystore: Keystore) -> MarketplaceClient:
    chain = config.chain
    policy = SendPolicy(confirmations=chain.confirmations, poll_seconds=min(1.0, chain.poll_seconds))
    client = MarketplaceClient(
        connections.rpc,
        connections.market,
        keystore.identity.signing_key,
        policy=policy,
        first_block=chain.first_block,
    )
    client.worth_of = config.worth_of
    return client


def _monitor(
    config: ParticipantConfig, resources: Resources, participant: Participant
) -> AbstractAsyncContextManager[Supervisor]:
    address, store, bus = resources.identity.address, resources.store, resources.bus
    account = Account(resources.client, address)
    events = participant.runtime.events.probe
    health = Health({"broker": bus.connect, "chain": account.look, "events": events, "store": store.ping})
    health.arithmetic = use_arithmetic
    if isinstance(role := resources.role, OwnerRole):
        health.notes = lambda: refusal_notes(role, config.names)
    observed = Observed(
        resources.role.name,
        address,
        store,
        bus,
        health,
        heartbeats=resources.heartbeats,
        ether=lambda: account.ether,
        folder=folder_of(config.store),
    )
    return monitor(config, observed, resources.meter, health, resources.heartbeats)


def _console(config: ParticipantConfig, resources: Resources, hub: Hub) -> Console | None:
    """The console, if the configuration asks for one; `hub` hears of the daemon's changes."""
    if config.console is None:
        return None
    role, identity, client = resources.role.name, resources.identity, resources.client
    party = Party(
        role=role,
        address=identity.address,
        market=resources.market,
        store=resources.store,
        order=orders_over(resources.bus, identity, resources.market, role),
        balance=lambda token: client.balance_of(identity.address, token),
        owner_resources=_owner_resources(resources.role),
        buyer_resources=_buyer_resources(config, resources.market, identity.address),
        names=config.names,
        assets=config.assets,
        aggregators=config.aggregators if isinstance(config, ModelBuyerConfig) else (),
    )
    return Console(party, config.console, hub)


def _owner_resources(role: Role) -> OwnerResources | None:
    if not isinstance(role, OwnerRole) or role.catalog is None:
        return None
    forget_uploads(role.catalog)
    return OwnerResources(role.catalog, role.configured, refusals=role.refusals)


def _buyer_resources(config: ParticipantConfig, market: Market, address: str) -> BuyerResources | None:
    if not isinstance(config, ModelBuyerConfig):
        return None
    return BuyerResources(uploads_folder(folder_of(config.store), market, address))
