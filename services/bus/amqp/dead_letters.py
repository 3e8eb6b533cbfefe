"""Dead letters: what was refused, with the reason, on a queue that an operator can read.

Where the message is still there, the dead letter holds it as it came, with the exchange and the key that
it came by: an administrator may put it back (`broker/dead_letter_queue.py`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import structlog
from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage

from protocol.envelope import Envelope
from services.bus.amqp.chunking import CHUNK_BYTES
from services.bus.amqp.consumer import acknowledge, give_back
from services.bus.amqp.message_properties import CHUNK_HEADERS, HEADERS, copy_of, message_of
from services.bus.amqp.publisher import Publisher
from services.bus.naming import DEAD_EXCHANGE, EXCHANGE, dead_key, message_key
from services.bus.port import UNDELIVERABLE, BusError, Outgoing
from services.bus.refusal_reasons import reason_of
from services.common.outages import Outage
from services.common.shares import Shares
from services.common.trace_context import TRACE_HEADER

_log = structlog.get_logger(__name__)

LETTERS_AT_ONCE, LETTERS_PER_SECOND = 256, 1.0
"""Letters that one sender may cause."""

_LONGEST_DETAIL = 500


class DeadLetters:
    """Publishes dead letters for one participant."""

    def __init__(self, publisher: Publisher, user: str | None) -> None:
        """`user` is the connection's user if it is an address: the broker takes no letters but under it."""
        self._publisher, self._user = publisher, user
        self._shares = Shares(LETTERS_AT_ONCE, LETTERS_PER_SECOND)
        self._outage = Outage(_log, "letter_not_taken", "letters_taken")
        self.count: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()

    async def publish(self, envelope: Envelope, code: str, detail: str) -> None:
        """The envelope of a message to us that is off the queue already; raises what publishing raises."""
        letter = message_of(envelope, b"", user=self._user, headers=_reason(code, detail))
        await self._publish(envelope.recipient, code, letter)

    async def publish_undelivered(self, message: Outgoing, detail: str) -> None:
        """A message of ours that no queue takes; raises what publishing raises."""
        envelope = message.envelope
        key = message_key(message.recipient_role, envelope.recipient, envelope.type)
        body = message.sealed if len(message.sealed) <= CHUNK_BYTES else b""
        origin = {"exchange": EXCHANGE, "routing_key": key, "sent_as": self._user or ""}
        headers = _reason(UNDELIVERABLE, detail) | origin
        letter = message_of(envelope, body, user=self._user, headers=headers)
        await self._publish(envelope.sender, UNDELIVERABLE, letter)

    async def dead_letter(
        self, messages: Sequence[AbstractIncomingMessage], address: str, code: str, detail: str
    ) -> None:
        """One message, or chunks of one, to the dead letters and off the queue of `address`.

        Beyond its sender's share it is counted and dropped. What the broker does not take goes
        back to the queue, whose delivery limit ends it there too.
        """
        first = messages[0]
        if not self._shares.take(str(first.user_id or "")):
            # By the sender that the broker names; all without a name share one. Who floods us must neither
            # push the others' letters off the dead letters, nor have each of its messages cost us one.
            self.count[code] += 1
            self.dropped[first.user_id or "nobody"] += 1
            await acknowledge(messages)
            return
        body = first.body if len(messages) == 1 and len(first.body) <= CHUNK_BYTES else b""
        origin = {"exchange": first.exchange or "", "routing_key": first.routing_key or ""}
        headers = _plain(first.headers) | _reason(code, detail) | origin
        headers["sent_as"] = str(first.user_id or "")
        letter = copy_of(first, body, user=self._user, headers=headers)
        try:
            await self._publish(address, code, letter)
        except BusError as error:
            self._outage.failed(error)
            await give_back(messages)
        else:
            self._outage.works()
            await acknowledge(messages)

    async def _publish(self, address: str, code: str, letter: Message) -> None:
        await self._publisher.publish(DEAD_EXCHANGE, dead_key(address, code), [letter])
        self.count[code] += 1


def _reason(code: str, detail: str) -> dict[str, str | int]:
    return {"reason": reason_of(code), "code": code, "detail": detail[:_LONGEST_DETAIL]}


def _plain(headers: Mapping[str, object]) -> dict[str, str | int]:
    """The envelope's headers if they are text or numbers: a stranger's tables are not carried on."""
    named = {name: headers.get(name) for name in (*HEADERS, *CHUNK_HEADERS, TRACE_HEADER)}
    return {name: value for name, value in named.items() if isinstance(value, str | int)}
