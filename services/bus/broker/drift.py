"""How a broker differs from its topology, and the definitions and removals that would set it right.

Bindings that tap our exchanges are removed. Queues, policies and users that nobody planned are only reported:
queues may hold messages, and the administrator's own user is among the users.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from services.bus.broker.definitions import Definition, definitions_of
from services.bus.broker.management_client import Management
from services.bus.broker.topology import Topology

Action = Literal["create", "change", "remove", "conflict", "look"]
"""`conflict`: cannot be changed while it exists. `look`: for a person; applying leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What the broker lacks, has otherwise, or has too much."""

    action: Action
    kind: str
    name: str
    detail: str = ""
    section: str = field(default="", compare=False)
    definition: Definition = field(default_factory=dict, compare=False, repr=False)
    """What to import into this section; of something to remove, as the broker lists it."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of the definitions; texts are formatted with what a definition says."""

    kind: str
    key: tuple[str, ...] = ("name",)
    name: str = "{name}"
    detail: str = ""
    conflict: str = ""
    unplanned: str = ""
    removed: bool = False


_BINDING_KEY = ("source", "destination", "destination_type", "routing_key", "arguments")
_SECTIONS = {
    "vhosts": _Section("virtual host"),
    "exchanges": _Section("exchange", conflict="not a plain durable topic exchange"),
    "policies": _Section(
        "policy", detail="{definition}", unplanned="not planned; it may change what our queues keep"
    ),
    "queues": _Section(
        "queue", conflict="not a plain quorum queue", unplanned="not planned; it holds {messages} messages"
    ),
    "bindings": _Section("binding", _BINDING_KEY, "{source} → {destination} ({routing_key})", removed=True),
    "users": _Section("user"),
    "topic_permissions": _Section("topic permission", ("user", "exchange"), "{user} on {exchange}"),
    "permissions": _Section("permission", ("user",), "{user}", unplanned="not planned in this virtual host"),
}


async def differences(api: Management, topology: Topology) -> list[Difference]:
    """Every difference, in the order of the sections."""
    existing = {name: await _existing(api, name, topology) for name in _SECTIONS}
    wanted = definitions_of(topology, {user["name"]: user["password_hash"] for user in existing["users"]})
    found = [item for name in _SECTIONS for item in _compare(name, wanted[name], existing[name])]
    return found + list(_elsewhere(topology, await api.get("permissions")))


async def _existing(api: Management, section: str, topology: Topology) -> list[Definition]:
    """What the broker lists; of bindings and users only those of our exchanges and our users."""
    if section == "users":
        path = ["users"]
    elif section.endswith("permissions"):
        path = ["vhosts", topology.vhost, section.replace("_", "-")]
    else:
        path = [section, topology.vhost]
    listed: Any = await api.get(*path) or []
    if section == "vhosts":
        return [listed] if listed else []
    if section == "bindings":
        listed = [item for item in listed if item["source"] in topology.exchanges]
    elif section == "users":
        planned = {user.name for user in topology.users}
        listed = [{"password_hash": "", **item} for item in listed if item["name"] in planned]
    elif section == "queues":
        listed = [{"messages": 0, **item} for item in listed]
    return list(listed)


def _compare(name: str, wanted: Iterable[Definition], existing: Iterable[Definition]) -> Iterator[Difference]:
    section = _SECTIONS[name]

    def key_of(item: Definition) -> tuple[str, ...]:
        return tuple(str(item[part]) for part in section.key)

    unplanned = {key_of(item): item for item in existing}
    for item in wanted:
        there = unplanned.pop(key_of(item), None)
        shown = section.name.format(**item)
        if there is None:
            yield Difference("create", section.kind, shown, section.detail.format(**item), name, item)
        elif any(there.get(field) != value for field, value in item.items()):
            if section.conflict:
                yield Difference("conflict", section.kind, shown, section.conflict)
            else:
                detail = _user_detail(item, there) if name == "users" else section.detail.format(**item)
                yield Difference("change", section.kind, shown, detail, name, item)
    for item in unplanned.values():
        shown = section.name.format(**item)
        if section.removed:
            yield Difference("remove", section.kind, shown, "", name, item)
        elif section.unplanned:
            yield Difference("look", section.kind, shown, section.unplanned.format(**item))


def _user_detail(wanted: Definition, there: Definition) -> str:
    details = []
    if wanted["password_hash"] != there["password_hash"]:
        certificate_only = "a password though only a certificate is planned"
        details.append("another password" if wanted["password_hash"] else certificate_only)
    if there["tags"]:
        details.append(f"tags {there['tags']}")
    return ", ".join(details)


def _elsewhere(topology: Topology, permissions: Iterable[Definition]) -> Iterator[Difference]:
    planned = {user.name for user in topology.users}
    for item in permissions:
        if item["user"] in planned and item["vhost"] != topology.vhost:
            detail = f"has rights in virtual host {item['vhost']} too"
            yield Difference("look", "permission", item["user"], detail)
