"""Whom the parties of a market work with, as their configurations say: lists and address books."""

from collections.abc import Iterable

from protocol.marketplace import PartyRole
from services.admin.market_process import Member
from services.admin.yaml_editing import set_value
from services.config.daemons import AggregatorConfig, ChainListenerConfig, DataOwnerConfig, ModelBuyerConfig


def introduce(
    others: Iterable[Member], name: str, role: PartyRole, address: str, replaces: str | None = None
) -> None:
    """Put a party on the lists and into the address books of the others, in a replaced one's place if so."""
    everyone = list(others)
    old = next((one.address for one in everyone if one.name == replaces), None)
    for other in everyone:
        if other.name == name or isinstance(other.config, ChainListenerConfig):
            continue
        set_value(other.file, "names", {**other.config.names, address: name})
        match other.config, role:
            case AggregatorConfig() as config, "data_owner":
                set_value(other.file, "admitted", _listed(config.admitted, address, None))
            case (DataOwnerConfig() | ModelBuyerConfig()) as config, "federated_aggregator":
                set_value(other.file, "aggregators", _listed(config.aggregators, address, old))


def _listed(known: Iterable[str], address: str, old: str | None) -> list[str]:
    return list(dict.fromkeys((*(one for one in known if one != old), address)))
