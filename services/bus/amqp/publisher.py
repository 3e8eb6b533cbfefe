"""Publishing until the broker has confirmed: persistent, mandatory, again after a loss, up to a bound."""

import asyncio
from collections.abc import Sequence

import structlog
from aio_pika import Message
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import (
    ChannelClosed,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    PublishError,
)
from aiormq.exceptions import ChannelAccessRefused

from services.bus.amqp.connection import BROKER_ERRORS, Connection, bounded
from services.bus.port import BusRefused, BusUnavailable, Unroutable

_log = structlog.get_logger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 4.0
_SECONDS_PER_PART = 10.0


class Publisher:
    """Publishes for one participant, one message at a time: a refusal closes the channel for all on it."""

    def __init__(self, link: Connection, *, seconds: float, attempts: int) -> None:
        """`seconds` bound the wait for one confirmation, `attempts` how often it is tried."""
        self._link, self._seconds, self._attempts = link, seconds, attempts
        self._lock = asyncio.Lock()
        self._channel: AbstractChannel | None = None

    async def publish(
        self, exchange: str, key: str, parts: Sequence[Message], *, mandatory: bool = True
    ) -> None:
        """Return once every part is confirmed; after a loss all parts are sent again.

        Raises Unroutable (no queue, or no such exchange), BusRefused (not with our rights), BusUnavailable
        (not confirmed in time; it may have been taken all the same).
        """
        for attempt in range(1, self._attempts + 1):
            try:
                async with self._lock:
                    await self._attempt(exchange, key, parts, mandatory=mandatory)
            except BROKER_ERRORS as error:
                reason = type(error).__name__
            except BusUnavailable as error:
                reason = str(error)
            else:
                return
            if attempt < self._attempts:
                _log.info("publish_again", key=key, attempt=attempt, reason=reason)
                await asyncio.sleep(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1)))
        raise BusUnavailable(f"{key}: not confirmed in {self._attempts} attempts ({reason})")

    async def _attempt(self, exchange: str, key: str, parts: Sequence[Message], *, mandatory: bool) -> None:
        try:
            # Publishing around a reconnect can hang, hence the bound. It stays below the time after which a
            # recipient gives up an incomplete message: what it gave up must not be taken for delivered.
            async with bounded(self._seconds + _SECONDS_PER_PART * (len(parts) - 1)):
                if self._channel is None or self._channel.is_closed:
                    self._channel = await self._link.channel()
                target = await self._channel.get_exchange(exchange, ensure=False)
                for part in parts:  # one by one: aiormq finds a returned message by its id, which they share
                    await target.publish(part, key, mandatory=mandatory)
        except TimeoutError:
            self._channel = None
            await self._link.reset()
            raise
        except PublishError:
            raise Unroutable(f"no queue takes {key}: provision the recipient") from None
        except ChannelNotFoundEntity:
            raise Unroutable(f"the broker has no exchange {exchange}: provision it") from None
        except (ChannelAccessRefused, ChannelPreconditionFailed) as error:
            raise BusRefused(f"the broker refuses {key}: {_reason(error)}") from None


def _reason(error: ChannelClosed) -> str:
    return str(error.args[-1])[:200] if error.args else type(error).__name__
