"""What a market's broker must hold, as data: who is there, and from that exchanges, queues, bindings, rights.

Participants configure nothing, read their own queues, and write only what their role may send: the routing
key names recipient's role, recipient and type, and the topic permission is made from the messages' routes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from protocol.marketplace import PartyRole
from protocol.messages import MESSAGE_TYPES
from services.bus import naming
from services.bus.amqp.chunking import CHUNK_BYTES
from services.bus.port import DELIVERY_LIMIT
from services.config.settings import Account, FilePath, Settings, without_rounds

_GIBIBYTE = 1 << 30
_DAY_MILLISECONDS = 24 * 3600 * 1000
_ANY_ADDRESS = "0x[0-9a-f]{40}"

USER_LIMITS: Mapping[str, int] = {"max-connections": 16, "max-channels": 64}
"""Of each user. A daemon has two connections with some four channels, a command as many for a moment, and the
broker takes twenty seconds to notice that one has died: this is enough for two roles under one address."""

MESSAGE_BYTES = CHUNK_BYTES
"""The longest body that is sent on the wire: `max_message_size` in rabbitmq.conf."""

_MOST_MESSAGES = 100_000
"""On one queue: a flood of small messages costs the broker memory for each, whatever they hold."""

NOTHING = "^$"
"""The pattern that no name matches."""


class Login(Settings):
    """How a user proves who it is."""

    password_file: FilePath | None = Field(
        None, description="File whose first line is the password; left out, only a certificate lets it in."
    )


class ParticipantPlace(Login):
    """One participant; its user on the broker is its address."""

    role: PartyRole = Field(description="model_buyer, data_owner or federated_aggregator.")
    address: Account = Field(description="Its account on the chain.")


class ListenerPlace(Login):
    """A chain listener's user."""

    user: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")] = Field(description="Name of the user.")


class Places(Settings):
    """Who takes part in a market on this broker."""

    vhost: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] = Field(
        "deltaml", description="The virtual host."
    )
    participants: tuple[ParticipantPlace, ...] = Field(description="Everybody with a queue.")
    chain_listeners: tuple[ListenerPlace, ...] = Field((), description="Who publishes contract events.")

    _of_an_earlier_version = model_validator(mode="before")(without_rounds)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        places = [(place.role, place.address) for place in self.participants]
        if len(set(places)) != len(places):
            raise ValueError("a participant is listed twice")
        logins: dict[str, Any] = {}
        for place in self.participants:
            if logins.setdefault(place.address, place.password_file) != place.password_file:
                raise ValueError(f"{place.address} has two password files")
        if len({place.user for place in self.chain_listeners}) != len(self.chain_listeners):
            raise ValueError("a chain listener is listed twice")
        return self


@dataclass(frozen=True, slots=True)
class Binding:
    """Exchange to queue."""

    source: str
    destination: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class User:
    """A user with rights in this virtual host and no others; no administrator, configures nothing."""

    name: str
    password_file: Path | None
    read: str
    """Pattern of the names of queues."""

    write: str
    """Pattern of the names of exchanges."""

    topics: Mapping[str, str]
    """Per topic exchange a pattern of the keys that it may write under."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that a market needs on its broker."""

    vhost: str
    exchanges: tuple[str, ...]
    queues: tuple[str, ...]
    """Durable quorum queues; what may change later is in policies."""

    bindings: tuple[Binding, ...]
    policies: tuple[Mapping[str, Any], ...]
    """Settings of the queues whose names match, as RabbitMQ writes them."""

    users: tuple[User, ...]


def topology_of(places: Places) -> Topology:
    """The broker's contents for these participants."""
    queues = {naming.DEAD_QUEUE: Binding(naming.DEAD_EXCHANGE, naming.DEAD_QUEUE, "#")}
    by_address: dict[str, list[ParticipantPlace]] = {}
    for place in places.participants:
        name = naming.queue_name(place.role, place.address)
        queues[name] = Binding(naming.EXCHANGE, name, f"{place.role}.{place.address}.*")
        by_address.setdefault(place.address, []).append(place)
    for address in by_address:
        for stream in naming.STREAMS:
            name = naming.event_queue_name(stream, address)
            queues[name] = Binding(naming.CHAIN_EXCHANGE, name, f"{stream}.#")
    users = [_participant(address, own_places) for address, own_places in by_address.items()]
    return Topology(
        vhost=places.vhost,
        exchanges=(naming.EXCHANGE, naming.CHAIN_EXCHANGE, naming.DEAD_EXCHANGE),
        queues=tuple(queues),
        bindings=tuple(queues.values()),
        policies=tuple(_policies()),
        users=(*users, *map(_listener, places.chain_listeners)),
    )


def _policies() -> Iterable[Mapping[str, Any]]:
    # Off by one on purpose: the broker counts returns, and the first delivery is none.
    limit = DELIVERY_LIMIT - 1
    kept = {"delivery-limit": limit, "dead-letter-exchange": naming.DEAD_EXCHANGE}
    # A full queue refuses, so its senders wait, while a full disk would stop everybody.
    bounded = {"max-length-bytes": 4 * _GIBIBYTE, "overflow": "reject-publish"}
    messages = {**kept, **bounded, "max-length": _MOST_MESSAGES}
    yield _policy("deltaml-queues", r"^deltaml\.(?!dead\.|chain\.)", 10, messages)
    # One full queue would refuse an event for everybody: a party that is away may be so for millions of them.
    yield _policy("deltaml-events", r"^deltaml\.chain\.", 10, {**kept, **bounded})
    # Nobody may be looking at what is merely seen: the oldest goes, and is no dead letter.
    seen = {"delivery-limit": limit, "max-length": 10_000, "overflow": "drop-head"}
    yield _policy("deltaml-seen", r"^deltaml\.chain\..*\.seen$", 20, seen)
    # Whoever looks at dead letters gives them back, which counts as a delivery: no look may cost a letter.
    dead = {
        "max-length-bytes": _GIBIBYTE,
        "message-ttl": 30 * _DAY_MILLISECONDS,
        "overflow": "drop-head",
        "delivery-limit": 1_000_000_000,
    }
    yield _policy("deltaml-dead", rf"^{re.escape(naming.DEAD_QUEUE)}$", 10, dead)


def _policy(name: str, pattern: str, priority: int, definition: Mapping[str, object]) -> Mapping[str, Any]:
    applied = {"name": name, "pattern": pattern, "apply-to": "queues", "priority": priority}
    return {**applied, "definition": definition}


def _participant(address: str, places: Sequence[ParticipantPlace]) -> User:
    roles = [place.role for place in places]
    readable = [naming.queue_name(role, address) for role in roles]
    readable += [naming.event_queue_name(stream, address) for stream in naming.STREAMS]
    return User(
        name=address,
        password_file=places[0].password_file,
        read=pattern_of(*readable),
        write=pattern_of(naming.EXCHANGE, naming.DEAD_EXCHANGE),
        topics={
            naming.EXCHANGE: _sendable(address, roles),
            naming.DEAD_EXCHANGE: rf"^{address}\.[a-z0-9_]+$",
            naming.CHAIN_EXCHANGE: NOTHING,
        },
    )


def _listener(place: ListenerPlace) -> User:
    events = r"^(seen|confirmed)\.[A-Za-z]+\.[0-9]+$"
    topics = {naming.EXCHANGE: NOTHING, naming.DEAD_EXCHANGE: NOTHING, naming.CHAIN_EXCHANGE: events}
    return User(place.user, place.password_file, NOTHING, pattern_of(naming.CHAIN_EXCHANGE), topics)


def _sendable(address: str, roles: Sequence[str]) -> str:
    """The routing keys of what these roles may send, and of their operator's orders to themselves."""
    keys: dict[str, set[str]] = {}
    for message_type, kind in MESSAGE_TYPES.items():
        for sender, recipient in kind.catalogue.routes:
            if sender in roles:
                keys.setdefault(rf"{recipient}\.{_ANY_ADDRESS}", set()).add(message_type)
            elif sender == "operator" and recipient in roles:
                keys.setdefault(rf"{recipient}\.{address}", set()).add(message_type)
    patterns = [rf"{place}\.({'|'.join(sorted(types))})" for place, types in sorted(keys.items())]
    return f"^({'|'.join(patterns)})$"


def pattern_of(*names: str) -> str:
    """The pattern that matches these names alone."""
    return f"^({'|'.join(map(re.escape, names))})$"
