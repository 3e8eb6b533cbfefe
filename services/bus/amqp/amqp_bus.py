"""The bus on RabbitMQ 3.10 and later.

Participants configure nothing: exchanges, queues and rights are the administrator's (`broker/topology.py`).
There are two connections, since a broker short of memory stops reading from those that publish, and acks must
still pass.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from aio_pika.abc import AbstractIncomingMessage
from typing_extensions import override

from protocol.codec import unpack
from protocol.envelope import Envelope
from protocol.errors import ProtocolViolation
from protocol.marketplace import training_of
from protocol.messages import ChainEvent, size_limit
from services.bus.amqp.chunking import CHUNK_BYTES, Assembler, check_chunk, split
from services.bus.amqp.connection import BROKER_ERRORS, CONNECT_SECONDS, Connection, bounded
from services.bus.amqp.consumer import Consumer, ConsumerEnded, acknowledge, subscriptions
from services.bus.amqp.dead_letters import DeadLetters
from services.bus.amqp.message_properties import envelope_fields_of, event_message_of, message_of
from services.bus.amqp.publisher import Publisher
from services.bus.amqp.timing import Timing
from services.bus.naming import (
    CHAIN_EXCHANGE,
    EXCHANGE,
    event_key,
    event_queue_name,
    message_key,
    queue_name,
)
from services.bus.port import Bus, Delivery, EventDelivery, Outgoing, Unroutable
from services.common.trace_context import TRACE_HEADER, context_in
from services.config.daemons import Broker


class AmqpDelivery(Delivery):
    """One delivery: a message, or the chunks of one."""

    def __init__(
        self, messages: Sequence[AbstractIncomingMessage], body: bytes, dead: DeadLetters, address: str
    ) -> None:
        """To `address`."""
        self._messages, self.body = messages, body
        self._dead, self._address = dead, address
        self.envelope_fields: Mapping[str, Any] = envelope_fields_of(messages[0])
        self.trace = context_in(messages[0].headers)

    @override
    async def ack(self) -> None:
        # After a lost connection it is delivered again, and the inbox knows it.
        await acknowledge(self._messages)

    @override
    async def dead_letter(self, code: str, detail: str) -> None:
        await self._dead.dead_letter(self._messages, self._address, code, detail)


class AmqpEvent(EventDelivery):
    """One delivery of a contract event."""

    def __init__(self, event: ChainEvent, message: AbstractIncomingMessage) -> None:
        """Off one message."""
        self.event, self._message = event, message

    @override
    async def ack(self) -> None:
        await acknowledge([self._message])


class AmqpBus(Bus):
    """One participant's bus under one login."""

    def __init__(self, broker: Broker, timing: Timing | None = None) -> None:
        """Connects when used. Raises ConfigurationError for files that cannot be used."""
        self._timing = timing or Timing()
        self._reading, self._writing = Connection(broker, "consumer"), Connection(broker, "publisher")
        self._publisher = Publisher(self._writing, self._timing)
        self._dead = DeadLetters(self._publisher, self._writing.user)
        self.dead_letters = self._dead.count
        self.messages_published = 0
        self.bytes_published = 0
        self.on_cycle: Callable[[str], None] = lambda _source: None

    @property
    @override
    def is_connected(self) -> bool:
        return self._reading.is_connected

    @override
    async def connect(self) -> None:
        channel = await self._writing.channel()
        try:
            async with bounded(CONNECT_SECONDS):
                await channel.close()
        except BROKER_ERRORS as error:
            raise self._writing.classify_error(error) from None

    @override
    async def publish(self, message: Outgoing) -> None:
        size, limit = len(message.sealed), size_limit(message.envelope.type)
        if size > limit:
            raise Unroutable(f"a body of {size} bytes; at most {limit} pass")
        envelope = message.envelope
        user = self._writing.user if self._writing.user == envelope.sender else None
        bodies = split(message.sealed)
        trace = {} if message.trace is None else {TRACE_HEADER: message.trace}
        chunks = [
            message_of(
                envelope,
                body,
                user=user,
                headers={"part": number, "parts": len(bodies), **trace} if len(bodies) > 1 else trace,
            )
            for number, body in enumerate(bodies)
        ]
        key = message_key(message.recipient_role, envelope.recipient, envelope.type)
        await self._publisher.publish(EXCHANGE, key, chunks)
        self.messages_published += 1
        self.bytes_published += size

    @override
    async def deliveries(self, role: str, address: str) -> AsyncGenerator[AmqpDelivery, None]:
        queue = queue_name(role, address)
        async with aclosing(subscriptions(self._reading, queue, self._timing)) as consumers:
            async for consumer in consumers:
                async with aclosing(self._whole_messages(consumer, address)) as deliveries:
                    async for delivery in deliveries:
                        yield delivery

    @override
    async def publish_dead_letter(self, envelope: Envelope, code: str, detail: str) -> None:
        await self._dead.publish(envelope, code, detail)

    @override
    async def publish_undelivered(self, message: Outgoing, detail: str) -> None:
        await self._dead.publish_undelivered(message, detail)

    @override
    async def publish_event(self, event: ChainEvent, stream: str) -> None:
        key = event_key(stream, event.event.event, training_of(event.event))
        message = event_message_of(event, stream)
        # A confirmed event that nobody takes raises Unroutable: the roles act on it.
        await self._publisher.publish(CHAIN_EXCHANGE, key, [message], mandatory=stream == "confirmed")
        self.messages_published += 1
        self.bytes_published += len(message.body)

    @override
    async def events(self, stream: str, address: str) -> AsyncGenerator[AmqpEvent, None]:
        queue = event_queue_name(stream, address)
        async with aclosing(subscriptions(self._reading, queue, self._timing)) as consumers:
            async for consumer in consumers:
                async with aclosing(self._messages(consumer, "events")) as messages:
                    async for message in messages:
                        if message is None:
                            continue
                        try:
                            event = unpack(ChainEvent, message.body)
                        except ProtocolViolation as violation:
                            await self._dead.dead_letter([message], address, violation.code, violation.detail)
                        else:
                            yield AmqpEvent(event, message)

    @override
    async def close(self) -> None:
        await self._reading.close()
        await self._writing.close()

    async def _whole_messages(self, consumer: Consumer, address: str) -> AsyncGenerator[AmqpDelivery, None]:
        assembler: Assembler[AbstractIncomingMessage] = Assembler()
        last_arrival = asyncio.get_running_loop().time()
        async with aclosing(self._messages(consumer, "messages")) as messages:
            async for message in messages:
                now = asyncio.get_running_loop().time()
                if message is None:
                    if now - last_arrival > self._timing.incomplete_seconds:
                        await self._give_up(assembler.give_up_all(), address)
                    continue
                last_arrival = now
                try:
                    delivery = await self._delivery(message, assembler, address)
                except ProtocolViolation as violation:
                    await self._dead.dead_letter([message], address, violation.code, violation.detail)
                    continue
                if delivery is not None:
                    yield delivery
                elif 2 * assembler.held >= consumer.window:
                    await _extend_prefetch(consumer)

    async def _delivery(
        self, message: AbstractIncomingMessage, assembler: Assembler[AbstractIncomingMessage], address: str
    ) -> AmqpDelivery | None:
        """The message, or the one that this chunk completes."""
        peer = self._peer(message, address)
        if "parts" not in message.headers:
            if len(message.body) > CHUNK_BYTES:
                raise ProtocolViolation("oversized", f"{len(message.body)} bytes that are not in parts")
            return AmqpDelivery([message], message.body, self._dead, address)
        limit = size_limit(str(message.type))
        number, total = check_chunk(
            message.headers.get("part"), message.headers["parts"], message.body, limit
        )
        taken = assembler.add(peer, message.message_id or "", number, total, message.body, message)
        if taken.superseded is not None:
            await acknowledge([taken.superseded])
        await self._give_up(taken.given_up, address)
        whole = taken.whole
        return None if whole is None else AmqpDelivery(whole.handles, whole.body, self._dead, address)

    def _peer(self, message: AbstractIncomingMessage, address: str) -> str:
        """Who answers for a message before its signature can be checked.

        On a broker where we are known by our address everybody is, so the broker vouches for the sender:
        nobody fills another's share of incomplete messages. Elsewhere the header is all there is.
        """
        sender = str(message.headers.get("sender"))
        if self._reading.user == address and message.user_id != sender:
            raise ProtocolViolation("wrong_user", "the broker does not vouch for the sender")
        return sender

    async def _messages(
        self, consumer: Consumer, source: str
    ) -> AsyncGenerator[AbstractIncomingMessage | None, None]:
        """The consumer's deliveries until it ends; None where none came for a while."""
        while True:
            self.on_cycle(source)
            try:
                message = await consumer.next()
            except ConsumerEnded:
                return
            yield message

    async def _give_up(self, messages: Sequence[Sequence[AbstractIncomingMessage]], address: str) -> None:
        detail = "the other parts never came, or the sender has too many messages open"
        for chunks in messages:
            await self._dead.dead_letter(chunks, address, "incomplete", detail)


async def _extend_prefetch(consumer: Consumer) -> None:
    try:
        async with bounded(CONNECT_SECONDS):
            await consumer.extend_prefetch()
    except BROKER_ERRORS:
        return  # the loss arrives as the consumer's next delivery
