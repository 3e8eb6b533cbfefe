"""How a broker differs from its topology, and what would remove each difference.

Bindings that tap our exchanges are removed. Queues, policies and users that nobody planned are only reported:
queues may hold messages, and the administrator's own user is among the users.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from services.bus.broker.management_client import Management
from services.bus.broker.passwords import HASHING_ALGORITHM, matches, password_hash
from services.bus.broker.topology import NOTHING, Binding, Policy, Topology, User
from services.common.files import read_passphrase

Action = Literal["create", "change", "remove", "conflict", "look"]
"""`conflict`: cannot be changed while it exists. `look`: for a person; applying leaves it as it is."""

_QUORUM = {"x-queue-type": "quorum"}


@dataclass(frozen=True, slots=True)
class Difference:
    """What the broker lacks, has otherwise, or has too much."""

    action: Action
    kind: str
    name: str
    detail: str = ""
    perform: Callable[[], Awaitable[object]] | None = field(default=None, compare=False, repr=False)


async def differences(api: Management, topology: Topology) -> list[Difference]:
    """Every difference, in the order in which to remove them."""
    vhost = topology.vhost
    found: list[Difference] = []
    if await api.get("vhosts", vhost) is None:
        found.append(Difference("create", "virtual host", vhost, "", partial(api.put, "vhosts", vhost)))
    found += _exchanges(api, topology, await _listed(api, "exchanges", vhost))
    found += _policies(api, topology, await _listed(api, "policies", vhost))
    found += _queues(api, topology, await _listed(api, "queues", vhost))
    found += _bindings(api, topology, await _listed(api, "bindings", vhost))
    for user in topology.users:
        found += _user(api, user, await api.get("users", user.name))
        # Keys before exchanges: a right to an exchange without a pattern is a right to every key.
        found += _topics(api, vhost, user, await _listed(api, "users", user.name, "topic-permissions"))
        found += _rights(api, vhost, user, await _listed(api, "users", user.name, "permissions"))
    found += _strangers(topology, await _listed(api, "vhosts", vhost, "permissions"))
    return found


async def _listed(api: Management, *path: str) -> list[dict[str, Any]]:
    return await api.get(*path) or []


def _exchanges(api: Management, topology: Topology, there: list[dict[str, Any]]) -> Iterator[Difference]:
    wanted = {"type": "topic", "durable": True, "auto_delete": False, "internal": False}
    known = {one["name"]: one for one in there}
    for name in topology.exchanges:
        if name not in known:
            create = partial(api.put, "exchanges", topology.vhost, name, body=wanted)
            yield Difference("create", "exchange", name, "", create)
        elif {key: known[name][key] for key in wanted} != wanted:
            yield Difference("conflict", "exchange", name, "not a durable topic exchange")


def _policies(api: Management, topology: Topology, there: list[dict[str, Any]]) -> Iterator[Difference]:
    known = {one["name"]: one for one in there}
    for policy in topology.policies:
        body = _policy_body(policy)
        found = known.pop(policy.name, None)
        if found is None or {key: found[key] for key in body} != body:
            action: Action = "create" if found is None else "change"
            put = partial(api.put, "policies", topology.vhost, policy.name, body=body)
            yield Difference(action, "policy", policy.name, str(body["definition"]), put)
    for name in known:
        yield Difference("look", "policy", name, "not planned; it may change what our queues keep")


def _policy_body(policy: Policy) -> dict[str, Any]:
    return {
        "pattern": policy.pattern,
        "apply-to": "queues",
        "priority": policy.priority,
        "definition": dict(policy.definition),
    }


def _queues(api: Management, topology: Topology, there: list[dict[str, Any]]) -> Iterator[Difference]:
    known = {one["name"]: one for one in there}
    for queue in topology.queues:
        found = known.pop(queue.name, None)
        if found is None:
            body = {"durable": True, "arguments": _QUORUM}
            create = partial(api.put, "queues", topology.vhost, queue.name, body=body)
            yield Difference("create", "queue", queue.name, "", create)
        elif found["arguments"] != _QUORUM or not found["durable"]:
            yield Difference("conflict", "queue", queue.name, "not a plain quorum queue")
    for name, found in known.items():
        yield Difference("look", "queue", name, f"not planned; it holds {found.get('messages', 0)} messages")


def _bindings(api: Management, topology: Topology, there: list[dict[str, Any]]) -> Iterator[Difference]:
    """A queue bound to our exchange besides would get a copy of everybody's messages."""
    missing = dict.fromkeys(topology.bindings)
    for one in there:
        if one["source"] not in topology.exchanges:
            continue
        binding = Binding(one["source"], one["destination"], one["routing_key"])
        if one["destination_type"] == "queue" and not one["arguments"] and binding in missing:
            del missing[binding]
            continue
        kind, key = one["destination_type"][0], one["properties_key"]
        place = (topology.vhost, "e", binding.exchange, kind, binding.queue, key)
        yield Difference("remove", "binding", _shown(binding), "", partial(api.delete, "bindings", *place))
    for binding in missing:
        target = (topology.vhost, "e", binding.exchange, "q", binding.queue)
        create = partial(api.post, "bindings", *target, body={"routing_key": binding.key})
        yield Difference("create", "binding", _shown(binding), "", create)


def _shown(binding: Binding) -> str:
    return f"{binding.exchange} → {binding.queue} ({binding.key})"


def _user(api: Management, user: User, found: dict[str, Any] | None) -> Iterator[Difference]:
    file = user.login.password_file
    password = None if file is None else read_passphrase(file)
    known = "" if found is None else found.get("password_hash", "")
    fits = known == "" if password is None else matches(password, known)
    tags = [] if found is None else _tags(found)
    if found is not None and fits and not tags:
        return
    detail = ", ".join(
        text
        for text, told in (
            (
                "another password"
                if password is not None
                else "a password though only a certificate is planned",
                not fits,
            ),
            (f"tags {tags}", bool(tags)),
        )
        if told and found is not None
    )
    body = {
        "password_hash": "" if password is None else password_hash(password),
        "hashing_algorithm": HASHING_ALGORITHM,
        "tags": "",
    }
    action: Action = "create" if found is None else "change"
    yield Difference(action, "user", user.name, detail, partial(api.put, "users", user.name, body=body))


def _tags(found: dict[str, Any]) -> list[str]:
    """A list since RabbitMQ 3.9, text with commas before."""
    tags = found["tags"]
    return [tag for tag in (tags.split(",") if isinstance(tags, str) else tags) if tag]


def _rights(api: Management, vhost: str, user: User, there: list[dict[str, Any]]) -> Iterator[Difference]:
    known = {one["vhost"]: {key: one[key] for key in ("configure", "read", "write")} for one in there}
    rights = user.rights
    wanted = {"configure": rights.configure, "read": rights.read, "write": rights.write}
    found = known.pop(vhost, None)
    if found != wanted:
        action: Action = "create" if found is None else "change"
        put = partial(api.put, "permissions", vhost, user.name, body=wanted)
        yield Difference(action, "permission", user.name, "", put)
    for other in known:
        yield Difference("look", "permission", user.name, f"has rights in virtual host {other} too")


def _topics(api: Management, vhost: str, user: User, there: list[dict[str, Any]]) -> Iterator[Difference]:
    known = {one["exchange"]: (one["write"], one["read"]) for one in there if one["vhost"] == vhost}
    for exchange, pattern in user.rights.topics.items():
        if known.get(exchange) != (pattern, NOTHING):
            body = {"exchange": exchange, "write": pattern, "read": NOTHING}
            action: Action = "change" if exchange in known else "create"
            put = partial(api.put, "topic-permissions", vhost, user.name, body=body)
            yield Difference(action, "topic permission", f"{user.name} on {exchange}", "", put)


def _strangers(topology: Topology, there: list[dict[str, Any]]) -> Iterator[Difference]:
    planned = {user.name for user in topology.users}
    for one in there:
        if one["user"] not in planned:
            yield Difference("look", "permission", one["user"], "not planned in this virtual host")
