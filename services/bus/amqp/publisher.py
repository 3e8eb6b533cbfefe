"""Publishing until the broker has confirmed: persistent, mandatory, again after a loss, up to a bound."""

import asyncio
from collections.abc import Sequence

import structlog
import tenacity
from aio_pika import Message
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import (
    ChannelClosed,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    DeliveryError,
    PublishError,
)
from aiormq.exceptions import ChannelAccessRefused

from services.bus.amqp.connection import BROKER_ERRORS, Connection, bounded
from services.bus.amqp.timing import Timing
from services.bus.port import BusRefused, BusUnavailable, QueueFull, Unroutable
from services.common.errors import ServiceError
from services.common.outages import Outage

_log = structlog.get_logger(__name__)

_SECONDS_PER_CHUNK = 10.0


class Publisher:
    """Publishes for one participant, one message at a time: a refusal closes the channel for all on it."""

    def __init__(self, connection: Connection, timing: Timing) -> None:
        """Publishes over this connection, which others may use too."""
        self._connection, self._timing = connection, timing
        self._lock = asyncio.Lock()
        self._channel: AbstractChannel | None = None
        self._outage = Outage(_log, "publishing_fails", "publishing_works")

    async def publish(
        self, exchange: str, key: str, chunks: Sequence[Message], *, mandatory: bool = True
    ) -> None:
        """Return once every chunk is confirmed; after a loss all chunks are sent again.

        Raises Unroutable (no queue, or no such exchange), BusRefused (not with our rights), BusUnavailable
        (not confirmed in time; it may have been taken all the same).
        """
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type((*BROKER_ERRORS, BusUnavailable)),
            stop=tenacity.stop_after_attempt(self._timing.publish_attempts),
            wait=tenacity.wait_exponential(multiplier=0.25, max=4.0),
            after=self._tell,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    async with self._lock:
                        await self._attempt(exchange, key, chunks, mandatory=mandatory)
        except (Unroutable, BusRefused):
            self._outage.works()  # the broker has answered
            raise
        except tenacity.RetryError as error:
            raise self._given_up(key, error.last_attempt) from None
        self._outage.works()

    def _given_up(self, key: str, attempt: tenacity.Future) -> BusUnavailable:
        failure = attempt.exception()
        kind = QueueFull if isinstance(failure, QueueFull) else BusUnavailable
        tried = f"{key} is not confirmed after {attempt.attempt_number} attempts"
        error = kind(f"{_failure(attempt)}: {tried}")
        error.told = isinstance(failure, ServiceError) and failure.told
        return self._outage.failed(error)

    def _tell(self, state: tenacity.RetryCallState) -> None:
        """Of a broker that is there and confirms nothing; of one that is away its connection tells."""
        error = None if state.outcome is None else state.outcome.exception()
        if isinstance(error, TimeoutError | QueueFull):
            self._outage.failed(error, reason=_failure(state.outcome))

    async def _attempt(self, exchange: str, key: str, chunks: Sequence[Message], *, mandatory: bool) -> None:
        try:
            # Publishing around a reconnect can hang, hence the bound. It stays below the time after which a
            # recipient gives up an incomplete message: what it gave up must not be taken for delivered.
            async with bounded(self._timing.publish_seconds + _SECONDS_PER_CHUNK * (len(chunks) - 1)):
                if self._channel is None or self._channel.is_closed:
                    self._channel = await self._connection.channel()
                target = await self._channel.get_exchange(exchange, ensure=False)
                for chunk in chunks:  # one by one: aiormq finds a returned message by their common id
                    await target.publish(chunk, key, mandatory=mandatory)
        except TimeoutError:
            self._channel = None
            await self._connection.reset()
            raise
        except PublishError:
            raise Unroutable(f"no queue takes {key}: provision the recipient") from None
        except DeliveryError:
            raise QueueFull(f"the queue for {key} is full: its daemon is away or too slow") from None
        except ChannelNotFoundEntity:
            raise Unroutable(f"the broker has no exchange {exchange}: provision it") from None
        except (ChannelAccessRefused, ChannelPreconditionFailed) as error:
            raise BusRefused(f"the broker refuses {key}: {_reason(error)}") from None


def _failure(attempt: tenacity.Future | None) -> str:
    error = None if attempt is None else attempt.exception()
    return str(error) if isinstance(error, BusUnavailable) else type(error).__name__


def _reason(error: ChannelClosed) -> str:
    return str(error.args[-1])[:200] if error.args else type(error).__name__
