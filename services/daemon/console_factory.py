"""The console of a daemon that is being built from its configuration."""

from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig
from services.console.app import Console
from services.console.owner.uploads import forget_uploads
from services.console.party import OwnerResources, Party, orders_over
from services.console.web.hub import Hub
from services.data.catalog import Catalog
from services.runtime.resources import Resources


def console_of(
    config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig, resources: Resources, hub: Hub
) -> Console | None:
    """The console, if the configuration asks for one; `hub` hears of the daemon's changes."""
    if config.console is None:
        return None
    role, identity, client = resources.role.name, resources.identity, resources.client
    party = Party(
        role=role,
        address=identity.address,
        market=resources.market,
        store=resources.store,
        order=orders_over(resources.bus, identity, role),
        balance=lambda: client.balance_of(identity.address),
        owner_resources=_owner_resources(config),
    )
    return Console(party, config.console, hub)


def _owner_resources(config: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig) -> OwnerResources | None:
    if not isinstance(config, DataOwnerConfig):
        return None
    catalogue = Catalog(config.catalogue)
    forget_uploads(catalogue)
    return OwnerResources(catalogue, config.policy)
