"""Bringing a broker to its topology: `plan` tells what is missing or otherwise, `apply` changes it."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError

from services.bus.broker.definitions import Definition
from services.bus.broker.drift import Difference, differences
from services.bus.broker.management_client import Management, ManagementAccess, connected
from services.bus.broker.topology import Places, Topology, topology_of
from services.bus.port import BusRefused
from services.common.documents import read_yaml
from services.common.errors import ConfigurationError
from services.common.problems import lines_of
from services.config.settings import FilePath, Settings


def _amqp_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"amqp", "amqps"} or not parts.hostname or parts.username or parts.path:
        raise ValueError("must be amqp://host:port or amqps://host:port, without user and virtual host")
    return value


class AmqpAccess(Settings):
    """Where the broker's clients connect; the administrator's commands make users of their own."""

    url: Annotated[str, AfterValidator(_amqp_url)] = Field(description="amqp://host:5672, amqps:// for TLS.")
    ca_file: FilePath | None = Field(
        None, description="Authorities (PEM) that may have signed the broker's key."
    )
    certificate_file: FilePath | None = Field(None, description="A certificate (PEM), if the broker asks.")
    key_file: FilePath | None = Field(None, description="The certificate's private key (PEM).")


class BrokerPlan(Places):
    """The document of `deltaml admin broker` and `deltaml admin dead-letters`."""

    management: ManagementAccess = Field(description="The management API.")
    amqp: AmqpAccess | None = Field(None, description="The broker itself, for deltaml admin dead-letters.")


def load_plan(path: Path) -> BrokerPlan:
    """The document in a YAML file; raises ConfigurationError naming every wrong key."""
    try:
        return BrokerPlan.model_validate(read_yaml(path), context={"folder": path.absolute().parent})
    except ValidationError as error:
        lines = lines_of(error, BrokerPlan)
        raise ConfigurationError(f"{path} cannot be used:\n  " + "\n  ".join(lines)) from None


async def apply(api: Management, topology: Topology) -> list[Difference]:
    """Make it so; returns what was done, and what is left for a person to look at.

    Raises BusRefused, with nothing changed, when an exchange or a queue exists otherwise: it would have to be
    removed first, and messages with it.
    """
    drift = await differences(api, topology)
    blocking = [f"{item.kind} {item.name} ({item.detail})" for item in drift if item.action == "conflict"]
    if blocking:
        raise BusRefused(f"nothing was changed; remove first what exists otherwise: {', '.join(blocking)}")
    for item in drift:
        if item.action == "remove":
            await _remove_binding(api, item.definition)
    wanted: dict[str, list[Definition]] = {}
    for item in drift:
        if item.action in ("create", "change"):
            wanted.setdefault(item.section, []).append(item.definition)
    # Keys before exchanges: a right to an exchange without a pattern is a right to every key.
    permissions = wanted.pop("permissions", [])
    for sections in (wanted, {"permissions": permissions}):
        if any(sections.values()):
            await api.post("definitions", body=sections)
    return drift


async def _remove_binding(api: Management, binding: Definition) -> None:
    kind, key = binding["destination_type"][0], binding["properties_key"]
    place = (binding["vhost"], "e", binding["source"], kind, binding["destination"], key)
    await api.delete("bindings", *place)


async def plan_broker(document: BrokerPlan) -> list[Difference]:
    """What applying this document would do."""
    async with connected(document.management) as api:
        return await differences(api, topology_of(document))


async def apply_broker(document: BrokerPlan) -> list[Difference]:
    """Apply this document; see `apply`."""
    async with connected(document.management) as api:
        return await apply(api, topology_of(document))
