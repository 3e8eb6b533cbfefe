"""The queue of dead letters for an administrator: look, put back, throw away.

It works under a user that exists for one command: it may read this queue alone, and publish on the exchange
of messages in another's name, since a recipient takes only messages whose sender the broker vouches for.
Letters are taken and given back when the command ends; RabbitMQ counts that as a delivery each time.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage

from services.bus.amqp.connection import BROKER_ERRORS, Connection
from services.bus.amqp.message_properties import CHUNK_HEADERS, HEADERS, copy_of
from services.bus.amqp.publisher import Publisher
from services.bus.amqp.timing import Timing
from services.bus.broker.provisioning import BrokerPlan
from services.bus.broker.temporary_login import temporary_connection
from services.bus.broker.topology import pattern_of
from services.bus.naming import DEAD_QUEUE, EXCHANGE
from services.bus.port import BusError, BusUnavailable
from services.bus.refusal_reasons import reason_of

MOST_LETTERS = 10_000
"""Looked at by one command; their bodies pass by one after another and are not kept."""

BROKER = "the broker"
"""Who wrote a letter that RabbitMQ took off a queue by itself."""

_LONGEST_TEXT = 500
_CARRIED = (*HEADERS, *CHUNK_HEADERS)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter; every text may be a stranger's and is cut and made printable."""

    message_id: str
    type: str
    reason: str
    code: str
    detail: str
    sender: str
    recipient: str
    training: str
    round: str
    sent_at: str
    written_by: str
    sent_as: str
    exchange: str
    routing_key: str
    body_bytes: int

    def obstacle(self) -> str | None:
        """Why it cannot be put back, or None."""
        place = self.routing_key.split(".")
        if self.exchange != EXCHANGE or len(place) != 3:
            return "it was not a message between participants"
        if not self.body_bytes or self.code == "incomplete":
            return "its body was not kept; have the sender send it again"
        # Participants write letters freely, so one is believed about its writer's own queue and name alone:
        # nobody gets a message into another's queue under a third one's name.
        if self.written_by not in (BROKER, place[1]) and self.sent_as not in ("", self.written_by):
            return f"{self.written_by} wrote it, who was neither its sender nor its recipient"
        return None


_TEXTS = [field.name for field in fields(Letter) if field.name != "body_bytes"]

Chosen = Callable[[Letter], bool]


class DeadQueue:
    """See `opened`."""

    def __init__(self, connection: Connection) -> None:
        """`connection` is of the user that exists for this command."""
        self._connection = connection
        self._publisher = Publisher(connection, Timing(publish_attempts=2))

    async def letters(self, chosen: Chosen) -> list[Letter]:
        """Those chosen, oldest first; all stay."""
        return [letter async for letter, _ in self._walk(chosen)]

    async def purge(self, chosen: Chosen) -> list[Letter]:
        """Throw away those chosen."""
        purged = []
        async for letter, message in self._walk(chosen):
            await message.ack()
            purged.append(letter)
        return purged

    async def requeue(self, chosen: Chosen) -> tuple[list[Letter], list[tuple[Letter, str]]]:
        """Send those chosen as they came; what cannot be sent stays, and is returned with the reason.

        One sent twice does no harm.
        """
        sent: list[Letter] = []
        kept: list[tuple[Letter, str]] = []
        async for letter, message in self._walk(chosen):
            if (obstacle := letter.obstacle()) is not None:
                kept.append((letter, obstacle))
                continue
            try:
                again = _as_it_came(letter, message)
                await self._publisher.publish(EXCHANGE, letter.routing_key, [again])
            except BusError as error:
                kept.append((letter, str(error)))
            else:
                await message.ack()
                sent.append(letter)
        return sent, kept

    async def _walk(self, chosen: Chosen) -> AsyncIterator[tuple[Letter, AbstractIncomingMessage]]:
        """Those chosen that are there now: what our own doing adds is for the next command."""
        channel = await self._connection.channel()
        try:
            queue = await channel.get_queue(DEAD_QUEUE, ensure=False)
            left = MOST_LETTERS
            while left:
                message = await queue.get(no_ack=False, fail=False)
                if message is None:
                    return
                left = min(left - 1, message.message_count or 0)
                letter = _letter(message)
                if chosen(letter):
                    yield letter, message
        except BROKER_ERRORS as error:
            raise BusUnavailable(
                f"cannot read {DEAD_QUEUE} ({type(error).__name__}): run deltaml admin broker apply"
            ) from None
        finally:
            with suppress(*BROKER_ERRORS):
                await channel.close()


@asynccontextmanager
async def opened(plan: BrokerPlan) -> AsyncIterator[DeadQueue]:
    """The queue of this document's virtual host.

    Raises ConfigurationError for a document without `amqp`, BusRefused and BusUnavailable.
    """
    async with temporary_connection(plan, read=pattern_of(DEAD_QUEUE), tags="impersonator") as connection:
        yield DeadQueue(connection)


def _as_it_came(letter: Letter, message: AbstractIncomingMessage) -> Message:
    headers = {name: message.headers[name] for name in _CARRIED if name in message.headers}
    return copy_of(message, message.body, user=letter.sent_as or None, headers=headers)


def _letter(message: AbstractIncomingMessage) -> Letter:
    """What a letter says. Its own routing key is one that the broker has let its writer use."""
    headers, key = message.headers, message.routing_key or ""
    stated: dict[str, object] = {**headers, "written_by": key.split(".")[0]}
    death = _first_death(headers)
    if death is not None:
        stated |= {
            "code": death.get("reason"),
            "detail": f"off the queue {death.get('queue')}",
            "exchange": death.get("exchange"),
            "routing_key": key,
            "sent_as": message.user_id,
            "written_by": BROKER,
        }
    stated |= {
        "message_id": message.message_id,
        "type": message.type,
        "training": message.correlation_id,
        "reason": reason_of(_text(stated.get("code"))),
        "sent_at": _moment(message.timestamp),
    }
    texts = {name: _text(stated.get(name)) for name in _TEXTS}
    return Letter(**texts, body_bytes=len(message.body))


def _first_death(headers: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What RabbitMQ says of a message that it took off a queue itself; None for a daemon's letter."""
    deaths = headers.get("x-death")
    if not isinstance(deaths, list) or not deaths:
        return None
    return deaths[-1] if isinstance(deaths[-1], Mapping) else {}


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else "?" for character in text[:_LONGEST_TEXT])


def _moment(timestamp: datetime | None) -> str:
    return "" if timestamp is None else timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
