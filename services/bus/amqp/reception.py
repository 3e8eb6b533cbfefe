"""From what a consumer takes off a participant's queue to whole messages; what is not one is refused."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from functools import partial

from aio_pika.abc import AbstractIncomingMessage

from protocol.errors import ProtocolViolation
from protocol.messages import size_limit
from services.bus.amqp.chunking import CHUNK_BYTES, Assembler, check_chunk
from services.bus.amqp.connection import BROKER_ERRORS, bounded_request
from services.bus.amqp.consumer import Consumer, acknowledge
from services.bus.amqp.dead_letters import DeadLetters
from services.bus.amqp.message_properties import envelope_fields_of, require_own_key
from services.bus.naming import EXCHANGE, message_key
from services.bus.port import Delivery
from services.common.trace_context import context_in


class Reception:
    """One participant's messages by way of one consumer."""

    def __init__(
        self, role: str, address: str, dead: DeadLetters, *, vouched: bool, incomplete_seconds: float
    ) -> None:
        """With `vouched` the broker must vouch for the sender: it knows every user by its address.

        After so many seconds of silence incomplete messages are given up.
        """
        self._role, self._address, self._dead = role, address, dead
        self._vouched, self._incomplete_seconds = vouched, incomplete_seconds
        self._assembler: Assembler[AbstractIncomingMessage] = Assembler()

    async def deliveries(
        self, consumer: Consumer, arrivals: AsyncIterator[AbstractIncomingMessage | None]
    ) -> AsyncGenerator[Delivery, None]:
        """Whole messages of the consumer's arrivals, where None is a quiet spell."""
        last_arrival = asyncio.get_running_loop().time()
        async for message in arrivals:
            now = asyncio.get_running_loop().time()
            if message is None:
                if now - last_arrival > self._incomplete_seconds:
                    await self._give_up(self._assembler.give_up_all())
                continue
            last_arrival = now
            try:
                delivery = await self._delivery(message)
            except ProtocolViolation as violation:
                await self._dead.dead_letter([message], self._address, violation.code, violation.detail)
                continue
            if delivery is not None:
                yield delivery
            elif 2 * self._assembler.held >= consumer.window:
                with suppress(*BROKER_ERRORS):  # a loss arrives as the consumer's next delivery
                    async with bounded_request():
                        await consumer.extend_prefetch()

    async def _delivery(self, message: AbstractIncomingMessage) -> Delivery | None:
        """The message, or the one that this chunk completes."""
        require_own_key(message, EXCHANGE, message_key(self._role, self._address, str(message.type)))
        peer, body = self._peer(message), message.body
        if "parts" not in message.headers:
            if len(body) > CHUNK_BYTES:
                raise ProtocolViolation("oversized", f"{len(body)} bytes that are not in parts")
            return self._whole([message], body)
        number, total = message.headers.get("part"), message.headers["parts"]
        number, total = check_chunk(number, total, body, size_limit(str(message.type)))
        taken = self._assembler.add(peer, message.message_id or "", number, total, body, message)
        if taken.superseded is not None:
            await acknowledge([taken.superseded])
        await self._give_up(taken.given_up)
        return None if taken.whole is None else self._whole(taken.whole.handles, taken.whole.body)

    def _whole(self, messages: Sequence[AbstractIncomingMessage], body: bytes) -> Delivery:
        """A message, or the chunks of one; after a lost connection it comes again, and the inbox knows it."""
        return Delivery(
            envelope_fields_of(messages[0]),
            body,
            context_in(messages[0].headers),
            ack=partial(acknowledge, messages),
            dead_letter=partial(self._dead.dead_letter, messages, self._address),
        )

    def _peer(self, message: AbstractIncomingMessage) -> str:
        """Who answers for a message before its signature can be checked.

        Where the broker vouches for the sender nobody fills another's share of incomplete messages. Elsewhere
        the header is all there is.
        """
        sender = str(message.headers.get("sender"))
        if self._vouched and message.user_id != sender:
            raise ProtocolViolation("wrong_user", "the broker does not vouch for the sender")
        return sender

    async def _give_up(self, messages: Sequence[Sequence[AbstractIncomingMessage]]) -> None:
        detail = "the other parts never came, or the sender has too many messages open"
        for chunks in messages:
            await self._dead.dead_letter(chunks, self._address, "incomplete", detail)
