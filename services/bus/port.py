"""The port between daemons and a broker: at-least-once queues, one per participant, and contract events.

Delivery may repeat and reorder; the inbox drops repetitions. `publish` returns only when the broker has taken
the message for good.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from protocol.envelope import MAJOR, Envelope, unsupported
from protocol.errors import ProtocolViolation
from protocol.messages import ChainEvent
from services.common.errors import ServiceError

_VERSION = re.compile(r"([0-9]{1,4})\.[0-9]{1,4}")

DELIVERY_LIMIT = 20
"""How often a message is delivered without an ack before it ends in the dead letters."""

UNDELIVERABLE = "undeliverable"
"""The code of the only dead letters that a sender writes: nobody takes its message."""


class BusError(ServiceError):
    """Base of what a bus raises."""


class Unroutable(BusError):  # noqa: N818  AMQP's word for it
    """No queue takes this message: the recipient is not provisioned on this broker."""


class BusUnavailable(BusError):  # noqa: N818
    """The broker did not confirm: publish again later."""


class QueueFull(BusUnavailable):
    """The broker answers, but the recipient's queue takes no more: publish again when it has read some."""


class BusRefused(BusError):  # noqa: N818
    """The broker does not let this user do that: trying again changes nothing, its administrator can."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish: the clear envelope and the sealed signature and body."""

    recipient_role: str
    envelope: Envelope
    sealed: bytes = field(repr=False)
    trace: str | None = None
    """The context of the trace that it belongs to; see `services.common.trace_context`."""


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """One delivery off a queue; `envelope_fields` are a stranger's headers until checked."""

    envelope_fields: Mapping[str, Any]
    body: bytes = field(repr=False)
    """The sealed part."""

    trace: str | None
    """The context of the sender's trace: unsigned, for our own traces alone."""

    ack: Callable[[], Awaitable[None]]
    """Take it off the queue."""

    dead_letter: Callable[[str, str], Awaitable[None]]
    """Publish it to the dead letters with this code and detail, then take it off the queue."""


@dataclass(frozen=True, slots=True, eq=False)
class EventDelivery:
    """One contract event off a participant's queue of a stream: hearsay until the own node shows it."""

    event: ChainEvent
    ack: Callable[[], Awaitable[None]]
    """Take it off the queue: it is stored."""

    dead_letter: Callable[[str, str], Awaitable[None]]
    """Publish it to the dead letters with this code and detail, then take it off the queue."""


class Bus(Protocol):
    """One participant's connection to the broker."""

    messages_published: int = 0
    bytes_published: int = 0
    on_cycle: Callable[[str], None]
    """Called with "messages" or "events" whenever that consumer comes round, even if nothing has arrived."""

    dead_letters: Counter[str]
    """By code, what was refused here: published, or dropped beyond its sender's share."""

    dropped: Counter[str]
    """By sender, what was refused here and left no dead letter."""

    @property
    def is_connected(self) -> bool:
        """Whether what others send can arrive now."""

    async def connect(self) -> None:
        """Try the connection; raises BusUnavailable, or BusRefused with what to do about it."""

    async def publish(self, message: Outgoing) -> None:
        """Returns when confirmed; raises Unroutable, BusRefused or BusUnavailable."""

    def deliveries(self, role: str, address: str) -> AsyncIterator[Delivery]:
        """The participant's queue, without end; reconnects by itself. Raises Unroutable if it is missing."""

    async def publish_dead_letter(self, envelope: Envelope, code: str, detail: str) -> None:
        """Put the envelope of a message that broke a rule after its admission among the dead letters."""

    async def publish_undelivered(self, message: Outgoing, detail: str) -> None:
        """Put a message of ours that no queue takes among the dead letters, under UNDELIVERABLE."""

    async def publish_event(self, event: ChainEvent, stream: str) -> None:
        """Publish a contract event on the stream "seen" or "confirmed"."""

    def events(self, stream: str, address: str) -> AsyncIterator[EventDelivery]:
        """The stream's events for this participant, without end; what is not acked comes again."""

    async def close(self) -> None:
        """Stop; what was not acked is delivered again."""


def read_envelope(fields: Mapping[str, Any]) -> Envelope:
    """The envelope in a delivery's headers.

    Raises ProtocolViolation: "unsupported_version" for another major version than ours, else "malformed".
    """
    version = fields.get("version")
    if isinstance(version, str) and (found := _VERSION.fullmatch(version)) and int(found[1]) != MAJOR:
        raise ProtocolViolation("unsupported_version", unsupported(version))
    try:
        return Envelope.model_validate(dict(fields))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = ".".join(str(part)[:40] for part in first["loc"][:3])
        raise ProtocolViolation("malformed", f"envelope {name}: {first['type']}") from None
