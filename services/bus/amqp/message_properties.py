"""Envelopes and contract events as AMQP properties and headers, so that an operator can read the traffic."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage, AbstractMessage

from protocol.codec import pack
from protocol.envelope import Envelope
from protocol.errors import ProtocolViolation
from protocol.marketplace import training_of
from protocol.messages import ChainEvent

SEALED = "x25519-sealed-box"
"""Content encoding of a body: msgpack in libsodium's sealed box."""

_CONTENT_TYPE = "application/msgpack"
HEADERS = ("version", "round", "attempt", "sender", "recipient", "sent_at", "chain_id", "contract")
CHUNK_HEADERS = ("part", "parts")
COPYING_HEADERS = frozenset({"CC", "BCC"})
"""What has RabbitMQ deliver a message under further keys (sender-selected distribution)."""
_COPIED = ("message_id", "type", "correlation_id", "timestamp", "content_type", "content_encoding")
_HEXADECIMAL = re.compile(r"[0-9a-f]{32}")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")


def message_of(
    envelope: Envelope, body: bytes, *, user: str | None, headers: Mapping[str, str | int] | None = None
) -> Message:
    """A persistent message; `user` is the connection's user, which the broker compares, or None."""
    fields: dict[str, Any] = {name: getattr(envelope, name) for name in HEADERS}
    return Message(
        body,
        message_id=envelope.message_id.hex(),
        type=envelope.type,
        correlation_id=str(envelope.training),
        timestamp=datetime.fromtimestamp(_seconds(envelope.sent_at), UTC),
        content_type=_CONTENT_TYPE,
        content_encoding=SEALED,
        delivery_mode=DeliveryMode.PERSISTENT,
        user_id=user,
        headers={**fields, **(headers or {})},
    )


def copy_of(
    message: AbstractMessage, body: bytes, *, user: str | None, headers: Mapping[str, Any]
) -> Message:
    """A persistent message with another's properties, sent by `user` and with these headers alone."""
    copied = {name: getattr(message, name) for name in _COPIED}
    return Message(body, **copied, delivery_mode=DeliveryMode.PERSISTENT, user_id=user, headers=dict(headers))


def envelope_fields_of(message: AbstractMessage) -> dict[str, Any]:
    """The envelope's fields as they came; what is missing or odd stays so, for `read_envelope` to refuse."""
    identity, training = message.message_id or "", message.correlation_id or ""
    return {
        "message_id": bytes.fromhex(identity) if _HEXADECIMAL.fullmatch(identity) else identity,
        "type": message.type,
        "training": int(training) if _DECIMAL.fullmatch(training) else training,
        **{name: message.headers.get(name) for name in HEADERS},
    }


def require_own_key(message: AbstractIncomingMessage, exchange: str, key: str) -> None:
    """That the broker let the sender write under this exchange and key, and under no other beside it.

    Topic permissions are checked for the routing key alone. RabbitMQ also delivers to the keys in the headers
    CC and BCC; of BCC nothing is left on arrival but the routing key, which is another than ours.
    Raises ProtocolViolation("copied" or "wrong_key").
    """
    carried = sorted(COPYING_HEADERS & set(message.headers))
    if carried:
        raise ProtocolViolation("copied", f"header {carried[0]}: topic permissions do not cover its keys")
    if message.exchange != exchange or message.routing_key != key:
        raise ProtocolViolation("wrong_key", f"came by another key than {key}, as copies by BCC do")


def event_message_of(event: ChainEvent, stream: str) -> Message:
    """A contract event; its message id tells one log of one block from all others."""
    return Message(
        pack(event),
        message_id=f"{event.block_hash.hex()}-{event.log_index}-{int(event.removed)}",
        type=event.event.event,
        correlation_id=str(training_of(event.event)),
        timestamp=datetime.fromtimestamp(_seconds(event.timestamp * 1000), UTC),
        content_type=_CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        headers={
            "stream": stream,
            "chain_id": event.chain_id,
            "block_number": event.block_number,
            "removed": event.removed,
        },
    )


def _seconds(milliseconds: int) -> int:
    """For the operator's eyes: a moment that no calendar has is shown as the last that it has."""
    return min(milliseconds // 1000, 253_402_300_799)
