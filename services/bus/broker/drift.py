"""How a broker differs from its topology, and the definitions and removals that would set it right.

Bindings that tap our exchanges are removed. Queues, policies and users that nobody planned are only reported:
queues may hold messages, and the administrator's own user is among the users.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

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
    everywhere: bool = False
    """Whether the broker lists it for all virtual hosts."""

    detail: str = ""
    conflict: str = ""
    unplanned: str = ""
    removed: bool = False

    def key_of(self, item: Definition) -> tuple[str, ...]:
        return tuple(str(item[part]) for part in self.key)


_BINDING_KEY = ("source", "destination", "destination_type", "routing_key", "arguments")
_TOPIC_KEY = ("vhost", "user", "exchange")
_SECTIONS = {
    "vhosts": _Section("virtual host", everywhere=True),
    "exchanges": _Section("exchange", conflict="not a plain durable topic exchange"),
    "policies": _Section(
        "policy", detail="{definition}", unplanned="not planned; it may change what our queues keep"
    ),
    "queues": _Section(
        "queue", conflict="not a plain quorum queue", unplanned="not planned; it holds {messages} messages"
    ),
    "bindings": _Section("binding", _BINDING_KEY, "{source} → {destination} ({routing_key})", removed=True),
    "users": _Section("user", everywhere=True),
    "topic_permissions": _Section("topic permission", _TOPIC_KEY, "{user} on {exchange}", everywhere=True),
    "permissions": _Section(
        "permission",
        ("vhost", "user"),
        "{user}",
        everywhere=True,
        unplanned="has rights in virtual host {vhost} that are not planned",
    ),
}


async def differences(api: Management, topology: Topology) -> list[Difference]:
    """Every difference, in the order of the sections."""
    existing = {name: await _existing(api, name, topology) for name in _SECTIONS}
    wanted = definitions_of(topology, {user["name"]: user["password_hash"] for user in existing["users"]})
    return [item for name in _SECTIONS for item in _compare(name, wanted[name], existing[name])]


async def _existing(api: Management, name: str, topology: Topology) -> list[Definition]:
    """What the broker lists: of bindings those of our exchanges, of permissions those here and our users'."""
    place = () if _SECTIONS[name].everywhere else (topology.vhost,)
    listed = await api.get(name.replace("_", "-"), *place) or []
    if name == "bindings":
        return [item for item in listed if item["source"] in topology.exchanges]
    if name == "permissions":
        planned = {user.name for user in topology.users}
        return [item for item in listed if item["vhost"] == topology.vhost or item["user"] in planned]
    # Left out for a queue that is not counted yet, and for a user without a password.
    return [{"password_hash": "", "messages": 0, **item} for item in listed]


def _compare(name: str, wanted: Iterable[Definition], existing: Iterable[Definition]) -> Iterator[Difference]:
    section = _SECTIONS[name]

    def difference(action: Action, detail: str, item: Definition) -> Difference:
        return Difference(action, section.kind, section.name.format(**item), detail, name, item)

    unplanned = {section.key_of(item): item for item in existing}
    for item in wanted:
        there = unplanned.pop(section.key_of(item), None)
        if there is None:
            yield difference("create", section.detail.format(**item), item)
        elif any(there.get(field) != value for field, value in item.items()):
            if section.conflict:
                yield difference("conflict", section.conflict, item)
            else:
                detail = _user_detail(item, there) if name == "users" else section.detail.format(**item)
                yield difference("change", detail, item)
    for item in unplanned.values():
        if section.removed:
            yield difference("remove", "", item)
        elif section.unplanned:
            yield difference("look", section.unplanned.format(**item), item)


def _user_detail(wanted: Definition, there: Definition) -> str:
    details = []
    if wanted["password_hash"] != there["password_hash"]:
        certificate_only = "a password though only a certificate is planned"
        details.append("another password" if wanted["password_hash"] else certificate_only)
    if there["tags"]:
        details.append(f"tags {there['tags']}")
    if wanted["limits"] != there.get("limits"):
        limits = ", ".join(f"{name} {most}" for name, most in there.get("limits", {}).items())
        details.append(f"other limits ({limits or 'none'})")
    return ", ".join(details)
