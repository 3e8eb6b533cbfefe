"""Consuming a queue without ever going silent.

A consumer ends without an exception when its queue is deleted, its channel closed or its connection lost;
each is watched for. And it can stop without a word: RabbitMQ 3.10 attaches the consumer of a deleted quorum
queue to a new one of the same name, then delivers nothing to it. So after every loss, and after every quiet
spell, a new consumer takes its place.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress

import structlog
import tenacity
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import AMQPChannelError, ChannelNotFoundEntity
from aiormq.exceptions import ChannelAccessRefused

from services.bus.amqp.connection import BROKER_ERRORS, Connection, bounded, bounded_request
from services.bus.amqp.timing import Timing
from services.bus.port import BusError, BusRefused, Unroutable
from services.common.outages import Outage

_log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 4.0


class ConsumerEnded(Exception):  # noqa: N818  not an error: it happens, and the next consumer goes on
    """Nothing more is taken from this consumer."""


class Consumer:
    """One queue's deliveries on a channel of their own."""

    def __init__(self, channel: AbstractChannel, queue: str, timing: Timing) -> None:
        """Started and replaced by `subscriptions`."""
        self._channel, self._queue, self._timing = channel, queue, timing
        self._arrivals: asyncio.Queue[AbstractIncomingMessage | ConsumerEnded] = asyncio.Queue()
        self._unsettled: list[AbstractIncomingMessage] = []
        self._closing = False
        self.window = 0
        self.lost: str | None = None
        self.is_channels_loss = False
        """Whether it was lost without its connection, which would tell of it by itself."""

    async def start(self) -> None:
        """Begin; raises what aio-pika raises."""
        self._channel.close_callbacks.add(self._on_close)
        raw = await self._channel.get_underlay_channel()
        raw.on_consumer_cancel_callbacks.add(
            lambda _frame: self._lose("queue deleted or moved", is_channels=True)
        )
        await self._channel.set_qos(self._timing.prefetch)
        await self.extend_prefetch()

    async def extend_prefetch(self) -> None:
        """Let more messages be unacked: chunks waiting for others must not block these others."""
        queue = await self._channel.get_queue(self._queue, ensure=False)
        await queue.consume(self._arrive)
        self.window += self._timing.prefetch

    async def next(self) -> AbstractIncomingMessage | None:
        """The next delivery, or None when there was none for a while but some are still unacked.

        Raises ConsumerEnded after a loss, or when it was quiet and nothing is unacked: then another consumer
        costs nothing.
        """
        try:
            arrival = self._arrivals.get_nowait()  # whatever has arrived is taken without a turn of the loop
        except asyncio.QueueEmpty:
            self._forget_settled()
            try:
                # 3.11's wait_for can swallow a cancellation.
                async with asyncio.timeout(self._timing.quiet_seconds):
                    arrival = await self._arrivals.get()
            except TimeoutError:
                self._forget_settled()
                if not self._unsettled:
                    raise ConsumerEnded("quiet") from None
                return None
        if isinstance(arrival, ConsumerEnded):
            raise arrival
        if len(self._unsettled) >= self.window:
            self._forget_settled()
        self._unsettled.append(arrival)
        return arrival

    async def arrivals(
        self, on_cycle: Callable[[], None]
    ) -> AsyncGenerator[AbstractIncomingMessage | None, None]:
        """The deliveries until there are no more, `next` after `next`; `on_cycle` is called before each."""
        with suppress(ConsumerEnded):
            while True:
                on_cycle()
                yield await self.next()

    async def close(self) -> None:
        """Give back what was not acked."""
        self._closing = True
        with suppress(*BROKER_ERRORS):
            async with bounded(1):
                await self._channel.close()

    def _forget_settled(self) -> None:
        self._unsettled = [message for message in self._unsettled if not message.processed]

    async def _arrive(self, message: AbstractIncomingMessage) -> None:
        if self.lost is None:
            self._arrivals.put_nowait(message)

    def _on_close(self, _channel: object, error: BaseException | None) -> None:
        self._lose(f"channel closed ({error!r})", is_channels=isinstance(error, AMQPChannelError))

    def _lose(self, reason: str, *, is_channels: bool) -> None:
        """What is buffered cannot be acked any more and comes again: handling it would be in vain."""
        if self.lost is None and not self._closing:
            self.lost, self.is_channels_loss = reason, is_channels
            while not self._arrivals.empty():
                self._arrivals.get_nowait()
            self._arrivals.put_nowait(ConsumerEnded(reason))


async def subscriptions(connection: Connection, queue: str, timing: Timing) -> AsyncGenerator[Consumer, None]:
    """A consumer of the queue, and when it has ended another, without end.

    Before the first: Unroutable when there is no such queue, BusRefused when the broker does not let us read
    it; later both are waited for, since an administrator may be at work.
    """
    outage = Outage(_log, "bus_subscribes_again", "bus_subscribed", queue=queue)

    def tell(state: tenacity.RetryCallState) -> None:
        error = None if state.outcome is None else state.outcome.exception()
        if error is not None:
            outage.failed(error)

    final: tuple[type[BusError], ...] = (Unroutable, BusRefused)
    while True:
        subscribing = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(BusError) & tenacity.retry_if_not_exception_type(final),
            wait=tenacity.wait_exponential(multiplier=_FIRST_PAUSE_SECONDS, max=_LONGEST_PAUSE_SECONDS),
            before_sleep=tell,
        )
        consumer: Consumer = await subscribing(_subscribe, connection, queue, timing)
        outage.works()
        final = ()
        try:
            yield consumer
        finally:
            await consumer.close()
        if consumer.lost is not None:
            if consumer.is_channels_loss:
                outage.failed(BusError(consumer.lost))
            await asyncio.sleep(_FIRST_PAUSE_SECONDS)


async def _subscribe(connection: Connection, queue: str, timing: Timing) -> Consumer:
    consumer = Consumer(await connection.channel(), queue, timing)
    try:
        async with bounded_request():
            await consumer.start()
    except ChannelNotFoundEntity:
        raise Unroutable(f"no queue {queue}: run deltaml admin broker apply") from None
    except ChannelAccessRefused:
        raise BusRefused(f"this user may not read {queue}: run deltaml admin broker apply") from None
    except BROKER_ERRORS as error:
        await consumer.close()
        failed = BusError(f"cannot consume {queue} ({type(error).__name__})")
        failed.told = not isinstance(error, AMQPChannelError | TimeoutError)  # by the connection
        raise failed from None
    return consumer


async def acknowledge(messages: Sequence[AbstractIncomingMessage]) -> None:
    """Ack each; on a lost channel they come again, which the inbox takes care of."""
    for message in messages:
        try:
            async with bounded_request():
                await message.ack()
        except BROKER_ERRORS as error:
            _log.debug("ack_lost", message_id=message.message_id, reason=type(error).__name__)
            return


async def give_back(messages: Sequence[AbstractIncomingMessage]) -> None:
    """Put each back on its queue; on a lost channel the broker has done so."""
    with suppress(*BROKER_ERRORS):
        for message in messages:
            async with bounded_request():
                await message.nack(requeue=True)
