"""Hostile messages of any type at a daemon's door: whole deliveries, with the code of their refusal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from protocol.codec import pack
from protocol.envelope import SealedPart, SignedMessage
from protocol.messages import MESSAGE_TYPES, MessageBody, size_limit
from services.identity.sealing import seal
from tests.support.daemons.service_world import Person, StrangersDelivery, delivery_of, sealed
from tests.support.hostile.bodies import HOSTILE_BODIES, example

OPERATOR = "operator"


@dataclass(frozen=True)
class Hostile:
    """A delivery that must be refused, and how."""

    name: str
    delivery: StrangersDelivery
    code: str


def routes(types: Mapping[str, type[MessageBody]] = MESSAGE_TYPES) -> list[tuple[str, str, str]]:
    """(type, sender's role, recipient's role) of every message of these types that crosses the bus."""
    return [
        (name, sender, recipient)
        for name, kind in types.items()
        for sender, recipient in kind.catalogue.routes
    ]


def with_body(sender: Person, recipient: Person, kind: str, body: bytes, **changes: Any) -> StrangersDelivery:
    """Any bytes as a body, signed and sealed as they should be; `changes` to the envelope are signed too."""
    envelope = sender.envelope(recipient, kind, **changes)
    return delivery_of(sealed(SignedMessage.create(envelope, body, sender.identity.signing_key), recipient))


def honest(sender: Person, recipient: Person, kind: str, **changes: Any) -> StrangersDelivery:
    """The type's example, signed and sealed as it should be: what is admitted."""
    return with_body(sender, recipient, kind, pack(example(kind)), **changes)


def unsigned(sender: Person, recipient: Person, kind: str, content: bytes) -> StrangersDelivery:
    """`content` in the place of signature and body: what anybody can seal."""
    return StrangersDelivery(
        sender.envelope(recipient, kind).model_dump(), seal(content, recipient.identity.exchange_key)
    )


def forged(sender: Person, recipient: Person, kind: str) -> StrangersDelivery:
    """The example with a signature that is none."""
    part = SealedPart(body=pack(example(kind)), signature=b"\x51" * 64 + b"\x1b")
    return unsigned(sender, recipient, kind, pack(part))


def oversized(sender: Person, recipient: Person, kind: str) -> StrangersDelivery:
    """A byte more than the type may have."""
    return StrangersDelivery(sender.envelope(recipient, kind).model_dump(), bytes(size_limit(kind) + 1))


def hostile_deliveries(
    kind: str, sender: Person, recipient: Person, *, stranger: Person, wrong: Person
) -> Iterator[Hostile]:
    """Every hostile message of one type.

    `sender` may send it to `recipient` (an operator's order: both are the same person); `stranger` is not
    registered, `wrong` is registered with a role that may not send it there.
    """
    yield Hostile("oversized", oversized(sender, recipient, kind), "oversized")
    yield Hostile("stranger", honest(stranger, recipient, kind), "not_registered")
    yield Hostile("wrong_role", honest(wrong, recipient, kind), "wrong_route")
    for name, change in {"chain": {"chain_id": 1}, "contract": {"contract": "0x" + "c1" * 20}}.items():
        yield Hostile(f"other_{name}", honest(sender, recipient, kind, **change), "wrong_market")
    yield Hostile("old_version", honest(sender, recipient, kind, version="1.0"), "unsupported_version")
    yield Hostile("forged", forged(sender, recipient, kind), "bad_signature")
    for name, make in HOSTILE_BODIES.items():
        body = make(kind)
        yield _malformed(f"body_{name}", with_body(sender, recipient, kind, body))
        yield _malformed(f"unsigned_{name}", unsigned(sender, recipient, kind, body))


def _malformed(name: str, delivery: StrangersDelivery) -> Hostile:
    """Refused for what it holds, or for its size before that."""
    fits = len(delivery.body) <= size_limit(delivery.envelope_fields["type"])
    return Hostile(name, delivery, "malformed" if fits else "oversized")
