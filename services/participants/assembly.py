"""Where a participant is put together, the same for a daemon of its own and for a market in one process."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from protocol.learning.statistic import Statistic
from protocol.marketplace import PartyRole, Register
from protocol.owner_policy import OwnerPolicy
from protocol.request import LEAST_KEY_BITS
from services.bus.port import Bus
from services.chain.contract.client import MarketplaceClient
from services.chain.contract.views import MarketplaceViews
from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig, StandingOrder
from services.data.catalog import Catalog
from services.data.catalog_watcher import watch_catalog
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.observability.counters import Meter
from services.observability.heartbeat import Heartbeats
from services.participants.announcements import announce
from services.participants.data_owner import OwnerRole
from services.participants.federated_aggregator import AggregatorRole
from services.participants.model_buyer import BuyerRole
from services.participants.standing_orders import keep_ordering
from services.runtime.role_adapter import PaillierKeys, Role
from services.runtime.runtime import Runtime
from services.runtime.step_pool import StepPool
from services.store import Store
from services.store.retention import RETENTION_SECONDS

Duty = Callable[[], Coroutine[Any, Any, None]]
"""What a participant does unasked, beside its daemon."""


@dataclass(frozen=True, slots=True)
class BuyerSetup:
    """What makes a participant a model buyer: where its Paillier keys are, what it orders on a schedule."""

    role: ClassVar[PartyRole] = "model_buyer"
    keys: PaillierKeys
    standing_orders: tuple[StandingOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class AggregatorSetup:
    """What makes a participant an aggregator: the owners that it admits."""

    role: ClassVar[PartyRole] = "federated_aggregator"
    admitted: frozenset[str]


@dataclass(frozen=True, slots=True)
class OwnerSetup:
    """What makes a participant a data owner.

    `data_sets` are asked for at each step; a `catalogue` they come from is watched for changes.
    """

    role: ClassVar[PartyRole] = "data_owner"
    aggregators: tuple[str, ...]
    policy: OwnerPolicy
    data_sets: Callable[[], Mapping[str, Statistic]]
    catalogue: Catalog | None = None


Setup = BuyerSetup | AggregatorSetup | OwnerSetup


def setup_of(config: ModelBuyerConfig | AggregatorConfig | DataOwnerConfig, keys: PaillierKeys) -> Setup:
    """What a configuration file asks for; a buyer's Paillier keys are in `keys`."""
    match config:
        case ModelBuyerConfig():
            return BuyerSetup(keys, config.standing_orders)
        case AggregatorConfig():
            return AggregatorSetup(frozenset(config.admitted))
        case DataOwnerConfig():
            catalogue = Catalog(config.catalogue)
            return OwnerSetup(config.aggregators, config.policy, catalogue.all, catalogue=catalogue)


@dataclass(frozen=True, slots=True)
class Participant:
    """One party, its daemon and its duties."""

    identity: Identity
    store: Store
    client: MarketplaceClient
    bus: Bus
    runtime: Runtime
    duties: tuple[Duty, ...] = ()

    async def register(self) -> None:
        """Register role and exchange key with the contract, unless it knows them already."""
        role, exchange_key = self.runtime.role.name, self.identity.exchange_key
        await self.client.submit(Register(role=role, exchange_key=exchange_key))

    async def run(self) -> None:
        """Run the daemon until it is stopped or cancelled, and the duties beside it."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(duty()) for duty in self.duties]
            await self.runtime.run()
            for task in running:
                task.cancel()

    def is_introduced(self) -> bool:
        """Whether every aggregator that this party works with has answered its announcement."""
        role = self.runtime.role
        return not (isinstance(role, OwnerRole) and role.announcements())


class Assembly:
    """Puts together participants of one process, who share its worker processes and its counters."""

    def __init__(self, workers: int | None, meter: Meter, *, least_key_bits: int = LEAST_KEY_BITS) -> None:
        """`workers` run the steps: None for one a core, 0 for this process. Shorter keys are refused."""
        self.pool = StepPool(workers)
        self._meter, self._least_key_bits = meter, least_key_bits

    def participant(
        self,
        setup: Setup,
        identity: Identity,
        *,
        store: Store,
        bus: Bus,
        client: MarketplaceClient,
        final: MarketplaceViews,
        heartbeats: Heartbeats | None = None,
        retention_seconds: float = RETENTION_SECONDS,
        on_change: Callable[[], None] = lambda: None,
    ) -> Participant:
        """A party that is ready to run; `final` reads what no reorganisation takes back."""
        directory = Directory(final)
        role = _role(setup, store, identity.address, final, directory)
        runtime = Runtime(
            role,
            identity,
            client.market,
            store=store,
            bus=bus,
            client=client,
            directory=directory,
            pool=self.pool,
            meter=self._meter,
            heartbeats=heartbeats,
            least_key_bits=self._least_key_bits,
            retention_seconds=retention_seconds,
            on_change=on_change,
        )
        return Participant(identity, store, client, bus, runtime, tuple(_duties(setup, runtime, role)))


def _role(setup: Setup, store: Store, address: str, final: MarketplaceViews, directory: Directory) -> Role:
    match setup:
        case BuyerSetup():
            return BuyerRole(store, address, setup.keys)
        case AggregatorSetup():
            return AggregatorRole(store, address, setup.admitted)
        case OwnerSetup():
            return OwnerRole(
                store,
                final,
                directory,
                address=address,
                data_sets=setup.data_sets,
                aggregators=setup.aggregators,
                policy=setup.policy,
            )


def _duties(setup: Setup, runtime: Runtime, role: Role) -> list[Duty]:
    duties: list[Duty] = []
    if isinstance(role, OwnerRole):
        duties.append(lambda: announce(runtime, role))
    if isinstance(role, OwnerRole) and isinstance(setup, OwnerSetup) and (catalogue := setup.catalogue):
        duties.append(lambda: watch_catalog(catalogue, role.undecided, runtime.offer))
    if isinstance(setup, BuyerSetup) and setup.standing_orders:
        duties.append(lambda: keep_ordering(runtime, setup.standing_orders, runtime.store))
    return duties
