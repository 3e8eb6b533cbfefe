"""A topology as RabbitMQ's definitions: the sections of the document that its management API imports."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.bus.broker.passwords import HASHING_ALGORITHM, matches, password_hash
from services.bus.broker.topology import NOTHING, USER_LIMITS, Topology, User
from services.common.files import read_passphrase

Definition = Mapping[str, Any]

PLAIN_QUORUM = {"x-queue-type": "quorum"}
_EXCHANGE = {"type": "topic", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}
_QUEUE = {"durable": True, "auto_delete": False, "arguments": PLAIN_QUORUM}
_BINDING = {"destination_type": "queue", "arguments": {}}


def definitions_of(topology: Topology, known_hashes: Mapping[str, str]) -> dict[str, list[Definition]]:
    """By section; a password that fits the hash which the broker knows of its user keeps that hash.

    Raises ConfigurationError for a password file that cannot be used.
    """
    in_vhost: dict[str, list[Definition]] = {
        "exchanges": [{"name": name, **_EXCHANGE} for name in topology.exchanges],
        "policies": list(topology.policies),
        "queues": [{"name": name, **_QUEUE} for name in topology.queues],
        "bindings": [{**asdict(binding), **_BINDING} for binding in topology.bindings],
        "topic_permissions": [
            {"user": user.name, "exchange": exchange, "write": pattern, "read": NOTHING}
            for user in topology.users
            for exchange, pattern in user.topics.items()
        ],
        "permissions": [
            {"user": user.name, "configure": NOTHING, "read": user.read, "write": user.write}
            for user in topology.users
        ],
    }
    return {
        "vhosts": [{"name": topology.vhost}],
        "users": [_user(user, known_hashes.get(user.name, "")) for user in topology.users],
        **{name: [{"vhost": topology.vhost, **item} for item in items] for name, items in in_vhost.items()},
    }


def _user(user: User, known_hash: str) -> Definition:
    chosen = ""
    if user.password_file is not None:
        password = read_passphrase(user.password_file)
        chosen = known_hash if matches(password, known_hash) else password_hash(password)
    return {
        "name": user.name,
        "password_hash": chosen,
        "hashing_algorithm": HASHING_ALGORITHM,
        "tags": [],
        "limits": dict(USER_LIMITS),
    }
