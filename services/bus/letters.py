"""Dead letters: what was refused, with the reason, on a queue that an operator can read."""

from collections.abc import Mapping, Sequence

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage

from protocol.envelope import Envelope
from services.bus.consumer import acknowledge, give_back
from services.bus.names import DEAD_EXCHANGE, dead_key
from services.bus.parts import PART_BYTES
from services.bus.port import BusError
from services.bus.properties import HEADERS, message_of
from services.bus.publisher import Publisher

_log = structlog.get_logger(__name__)

_LONGEST_DETAIL = 500


class DeadLetters:
    """Publishes dead letters for one participant."""

    def __init__(self, publisher: Publisher, user: str | None) -> None:
        """`user` is the connection's user if it is an address: the broker takes letters under it alone."""
        self._publisher, self._user = publisher, user

    async def publish(self, envelope: Envelope, code: str, detail: str) -> None:
        """The envelope of a message to us that is off the queue already; raises what publishing raises."""
        letter = message_of(envelope, b"", user=self._user, headers=_reason(code, detail))
        await self._publisher.publish(DEAD_EXCHANGE, dead_key(envelope.recipient, code), [letter])

    async def bury(
        self, messages: Sequence[AbstractIncomingMessage], address: str, code: str, detail: str
    ) -> None:
        """One message, or parts of one, to the dead letters and off the queue of `address`.

        What cannot be buried goes back to the queue, whose delivery limit buries it in the end.
        """
        first = messages[0]
        body = first.body if len(messages) == 1 and len(first.body) <= PART_BYTES else b""
        letter = Message(
            body,
            message_id=first.message_id,
            type=first.type,
            correlation_id=first.correlation_id,
            timestamp=first.timestamp,
            content_type=first.content_type,
            content_encoding=first.content_encoding,
            delivery_mode=DeliveryMode.PERSISTENT,
            user_id=self._user,
            headers={**_plain(first.headers), **_reason(code, detail), "sent_as": str(first.user_id or "")},
        )
        try:
            await self._publisher.publish(DEAD_EXCHANGE, dead_key(address, code), [letter])
        except BusError as error:
            _log.warning("letter_not_taken", code=code, reason=str(error))
            await give_back(messages)
        else:
            await acknowledge(messages)


def _reason(code: str, detail: str) -> dict[str, str | int]:
    return {"code": code, "detail": detail[:_LONGEST_DETAIL]}


def _plain(headers: Mapping[str, object]) -> dict[str, str | int]:
    """The envelope's headers if they are text or numbers: a stranger's tables are not carried on."""
    named = {name: headers.get(name) for name in HEADERS}
    return {name: value for name, value in named.items() if isinstance(value, str | int)}
