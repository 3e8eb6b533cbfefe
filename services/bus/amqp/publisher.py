"""Publishing until the broker has confirmed: persistent, mandatory, again after a loss, up to a bound."""

import asyncio
from collections.abc import Sequence

import structlog
import tenacity
from aio_pika import Message
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelClosed, ChannelNotFoundEntity, ChannelPreconditionFailed, PublishError
from aiormq.exceptions import ChannelAccessRefused

from services.bus.amqp.connection import BROKER_ERRORS, Connection, bounded
from services.bus.amqp.timing import Timing
from services.bus.port import BusRefused, BusUnavailable, Unroutable

_log = structlog.get_logger(__name__)

_SECONDS_PER_CHUNK = 10.0


class Publisher:
    """Publishes for one participant, one message at a time: a refusal closes the channel for all on it."""

    def __init__(self, connection: Connection, timing: Timing) -> None:
        """Publishes over this connection, which others may use too."""
        self._connection, self._timing = connection, timing
        self._lock = asyncio.Lock()
        self._channel: AbstractChannel | None = None

    async def publish(
        self, exchange: str, key: str, chunks: Sequence[Message], *, mandatory: bool = True
    ) -> None:
        """Return once every chunk is confirmed; after a loss all chunks are sent again.

        Raises Unroutable (no queue, or no such exchange), BusRefused (not with our rights), BusUnavailable
        (not confirmed in time; it may have been taken all the same).
        """

        def log_again(state: tenacity.RetryCallState) -> None:
            _log.info("publish_again", key=key, attempt=state.attempt_number, reason=_failure(state.outcome))

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type((*BROKER_ERRORS, BusUnavailable)),
            stop=tenacity.stop_after_attempt(self._timing.publish_attempts),
            wait=tenacity.wait_exponential(multiplier=0.25, max=4.0),
            before_sleep=log_again,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    async with self._lock:
                        await self._attempt(exchange, key, chunks, mandatory=mandatory)
        except tenacity.RetryError as error:
            attempts, failure = error.last_attempt.attempt_number, _failure(error.last_attempt)
            raise BusUnavailable(
                f"{failure}: {key} is not confirmed after {attempts} attempts; check that the broker runs "
                "and that its URL is right"
            ) from None

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
        except ChannelNotFoundEntity:
            raise Unroutable(f"the broker has no exchange {exchange}: provision it") from None
        except (ChannelAccessRefused, ChannelPreconditionFailed) as error:
            raise BusRefused(f"the broker refuses {key}: {_reason(error)}") from None


def _failure(attempt: tenacity.Future | None) -> str:
    error = None if attempt is None else attempt.exception()
    return str(error) if isinstance(error, BusUnavailable) else type(error).__name__


def _reason(error: ChannelClosed) -> str:
    return str(error.args[-1])[:200] if error.args else type(error).__name__
