"""The bus on RabbitMQ 3.10 and later.

Participants configure nothing: exchanges, queues and rights are the administrator's (`broker/topology.py`).
There are two connections, since a broker short of memory stops reading from those that publish, and acks must
still pass.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial

from typing_extensions import override

from protocol.codec import unpack
from protocol.envelope import Envelope
from protocol.errors import ProtocolViolation
from protocol.marketplace import training_of
from protocol.messages import ChainEvent, size_limit
from protocol.messages.limits import limits_of
from services.bus import naming
from services.bus.amqp.chunking import split
from services.bus.amqp.connection import BROKER_ERRORS, Connection, bounded_request, broker_outage
from services.bus.amqp.consumer import acknowledge, subscriptions
from services.bus.amqp.dead_letters import DeadLetters
from services.bus.amqp.message_properties import event_message_of, message_of, require_own_key
from services.bus.amqp.publisher import Publisher
from services.bus.amqp.reception import Reception
from services.bus.amqp.timing import Timing
from services.bus.port import Bus, Delivery, EventDelivery, Outgoing, Unroutable
from services.common.trace_context import TRACE_HEADER
from services.config.daemons import Broker


class AmqpBus(Bus):
    """One participant's bus under one login."""

    def __init__(self, broker: Broker, timing: Timing | None = None) -> None:
        """Connects when used. Raises ConfigurationError for files that cannot be used."""
        self._timing = timing or Timing()
        outage = broker_outage()
        self._reading = Connection(broker, "consumer", outage=outage)
        self._writing = Connection(broker, "publisher", outage=outage)
        self._publisher = Publisher(self._writing, self._timing)
        self._dead = DeadLetters(self._publisher, self._writing.user)
        self.dead_letters, self.dropped = self._dead.count, self._dead.dropped
        self.on_cycle: Callable[[str], None] = lambda _source: None

    @property
    @override
    def is_connected(self) -> bool:
        return self._reading.is_connected

    @override
    async def connect(self) -> None:
        channel = await self._writing.channel()
        try:
            async with bounded_request():
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
        key = naming.message_key(message.recipient_role, envelope.recipient, envelope.type)
        await self._publisher.publish(naming.EXCHANGE, key, chunks)
        self.messages_published += 1
        self.bytes_published += size

    @override
    async def deliveries(self, role: str, address: str) -> AsyncGenerator[Delivery, None]:
        queue = naming.queue_name(role, address)
        async with aclosing(subscriptions(self._reading, queue, self._timing)) as consumers:
            async for consumer in consumers:
                # On a broker where we are known by our address everybody is.
                vouched = self._reading.user == address
                seconds = self._timing.incomplete_seconds
                reception = Reception(role, address, self._dead, vouched=vouched, incomplete_seconds=seconds)
                async with (
                    aclosing(consumer.arrivals(lambda: self.on_cycle("messages"))) as arrivals,
                    aclosing(reception.deliveries(consumer, arrivals)) as deliveries,
                ):
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
        key = naming.event_key(stream, event.event.event, training_of(event.event))
        message = event_message_of(event, stream)
        # A confirmed event that nobody takes raises Unroutable: the roles act on it.
        await self._publisher.publish(naming.CHAIN_EXCHANGE, key, [message], mandatory=stream == "confirmed")
        self.messages_published += 1
        self.bytes_published += len(message.body)

    @override
    async def events(self, stream: str, address: str) -> AsyncGenerator[EventDelivery, None]:
        queue = naming.event_queue_name(stream, address)
        async with aclosing(subscriptions(self._reading, queue, self._timing)) as consumers:
            async for consumer in consumers:
                async with aclosing(consumer.arrivals(lambda: self.on_cycle("events"))) as messages:
                    async for message in messages:
                        if message is None:
                            continue
                        try:
                            event = unpack(ChainEvent, message.body, limits=limits_of(ChainEvent))
                            key = naming.event_key(stream, event.event.event, training_of(event.event))
                            require_own_key(message, naming.CHAIN_EXCHANGE, key)
                        except ProtocolViolation as violation:
                            await self._dead.dead_letter([message], address, violation.code, violation.detail)
                        else:
                            refuse = partial(self._dead.dead_letter, [message], address)
                            yield EventDelivery(event, partial(acknowledge, [message]), refuse)

    @override
    async def close(self) -> None:
        await self._reading.close()
        await self._writing.close()
