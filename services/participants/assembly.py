"""Where a participant is put together, the same for a daemon of its own and for a market in one process."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from protocol.marketplace import Register
from services.bus.port import Bus
from services.chain.contract.client import MarketplaceClient
from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig
from services.data.catalog import Catalog
from services.data.catalog_watcher import watch_catalog
from services.identity.keys import Identity
from services.identity.keystore import Keystore
from services.participants.admission_watcher import watch_admitted, watch_aggregators
from services.participants.announcements import announce
from services.participants.bonds import release_bonds
from services.participants.data_owner import OwnerRole
from services.participants.federated_aggregator import AggregatorRole
from services.participants.model_buyer import BuyerRole
from services.participants.places import Places
from services.participants.standing_orders import keep_ordering
from services.runtime.resources import Resources
from services.runtime.role_adapter import Role
from services.runtime.runtime import Runtime
from services.store import Store
from services.store.waiting import retry_while_unavailable

Duty = Callable[[], Coroutine[Any, Any, None]]
"""What a participant does unasked, beside its daemon."""


async def role_of(
    config: ModelBuyerConfig | AggregatorConfig | DataOwnerConfig,
    keystore: Keystore,
    store: Store,
) -> Role:
    """The role that a configuration file asks for.

    An owner's looks at what its store has of earlier trainings: a store that is away is waited for.
    """
    address = keystore.identity.address
    match config:
        case ModelBuyerConfig():
            return BuyerRole(
                store,
                address,
                keystore,
                config.standing_orders,
                config.admission.policy(config.names),
            )
        case AggregatorConfig():
            places = Places(store, config.most_trainings_of_a_buyer, config.most_trainings)
            return AggregatorRole(
                store,
                address,
                frozenset(config.admitted),
                places=places,
                bonds=config.bonds,
                file=config.file,
            )
        case DataOwnerConfig():
            places = Places(store, config.most_trainings_of_a_buyer, config.most_trainings)
            catalog = Catalog(config.catalogue)
            return await retry_while_unavailable(
                OwnerRole,
                store,
                address=address,
                data_sets=catalog.all,
                aggregators=config.aggregators,
                policy=config.policy,
                catalog=catalog,
                places=places,
                file=config.file,
            )


@dataclass(frozen=True, slots=True)
class Participant:
    """One party, its daemon and its duties."""

    identity: Identity
    store: Store
    client: MarketplaceClient
    bus: Bus
    runtime: Runtime
    duties: tuple[Duty, ...] = ()

    @classmethod
    def of(cls, resources: Resources) -> Self:
        """A party that is ready to run."""
        runtime = Runtime(resources)
        return cls(
            resources.identity,
            resources.store,
            resources.client,
            resources.bus,
            runtime,
            tuple(_duties(resources.role, runtime)),
        )

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
        return not isinstance(role, OwnerRole) or role.is_answered()


def _duties(role: Role, runtime: Runtime) -> Iterator[Duty]:
    yield lambda: release_bonds(runtime)
    match role:
        case OwnerRole(catalog=catalog):
            changed = None if catalog is None else asyncio.Event()
            yield lambda: announce(runtime, role, changed)
            if catalog is not None and changed is not None:
                yield lambda: watch_catalog(catalog, role.undecided, runtime.offer, changed.set)
            if role.file is not None and changed is not None:
                own_file = role.file
                yield lambda: watch_aggregators(own_file, role, changed.set)
        case AggregatorRole(file=Path() as file):
            yield lambda: watch_admitted(file, role)
        case BuyerRole(standing_orders=orders) if orders:
            yield lambda: keep_ordering(runtime, orders, role.store)
