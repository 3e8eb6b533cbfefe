"""One connection to RabbitMQ: made when needed, made anew after a loss, its errors told apart.

aio-pika's robust connection restores consumers by itself and cannot say when it failed to; a daemon that
listens to nobody must notice, so restoring is left to `consumer.py` and `publisher.py`.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, TimeoutType
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, ConnectionClosed, ProbableAuthenticationError
from aiormq.exceptions import InvalidFrameError
from typing_extensions import override
from yarl import URL

from services.bus.port import BusRefused, BusUnavailable
from services.common.errors import ConfigurationError
from services.common.files import read_passphrase, require_private
from services.common.outages import Outage
from services.common.tasks import told_to_stop
from services.config.daemons import Broker

_log = structlog.get_logger(__name__)

CONNECT_SECONDS = 15.0
HEARTBEAT_SECONDS = 10
"""The broker takes twice as long to see that a silent connection is dead, and to give what was on its way on
it to the next: of two connections, one may hang without anybody being told."""
BROKER_ERRORS = (*CONNECTION_EXCEPTIONS, TimeoutError)
"""What aio-pika raises when the broker or the way to it fails."""

_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_REFUSALS = (403, 530)
"""AMQP's access-refused and not-allowed: a wrong password, no right to the virtual host."""


class ClosingConnection(aio_pika.Connection):
    """aio-pika's, closed where it could not be made: else its finalizer begins what nobody awaits."""

    @override
    async def connect(self, timeout: TimeoutType = None) -> None:
        try:
            await super().connect(timeout)
        except BaseException:
            await self.close()
            raise


@asynccontextmanager
async def bounded(seconds: float | None) -> AsyncIterator[None]:
    """What is asked of the broker inside takes at most so long (TimeoutError), and a loss is an error.

    aiormq cancels whatever waits on a connection that is closed, for instance by another task of ours that
    found it hanging. Passed on, that would end the task that waits, as if the daemon had been told to stop.
    What waits on a channel that was closed without a reason it fails with an `Exception` that says nothing.
    """
    async with asyncio.timeout(seconds):
        try:
            yield
        except asyncio.CancelledError:
            if told_to_stop():
                raise
            raise ConnectionResetError("the connection was closed") from None
        except Exception as error:
            if type(error) is not Exception:
                raise
            raise ConnectionResetError("the channel was closed") from None


def bounded_request() -> AbstractAsyncContextManager[None]:
    """`bounded` by what one request to the broker may take."""
    return bounded(CONNECT_SECONDS)


def broker_outage() -> Outage:
    """What tells that a broker does not answer, or does not let us in."""
    return Outage(_log, "broker_away", "broker_back")


class Connection(AbstractAsyncContextManager["Connection"]):
    """A connection that comes back; channels taken from it do not."""

    def __init__(
        self, broker: Broker, purpose: str, password: str | None = None, *, outage: Outage | None = None
    ) -> None:
        """`purpose` is shown in the management page; `password` is for a broker without password_file.

        `outage` is shared by all connections to the broker. Raises ConfigurationError for unusable files.
        """
        self._outage, self._purpose = outage or broker_outage(), purpose
        self._context = _tls_context(broker)
        self._url = _url(broker, password)
        self._name = f"deltaml {purpose}"
        self._lock = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._closed = False

    @property
    def user(self) -> str | None:
        """The connection's user if it is an address, which the broker then vouches for in messages."""
        user = self._url.user or ""
        return user if _ADDRESS.fullmatch(user) else None

    @property
    def place(self) -> str:
        """Host and port, for messages to people."""
        return f"{self._url.host}:{self._url.port or (5671 if self._context else 5672)}"

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self._connection is not None and self._connection.connected.is_set()

    async def channel(self) -> AbstractChannel:
        """A fresh channel with publisher confirms; unroutable messages raise.

        Raises BusUnavailable when the broker cannot be reached, BusRefused when it does not let us in.
        """
        async with self._lock:
            is_lost = self._connection is not None and not self.is_connected
            try:
                async with bounded_request():
                    connection = await self._connected()
                    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            except BROKER_ERRORS as error:
                await self._drop()
                raise self._outage.failed(self.classify_error(error), part=self._purpose) from None
            if is_lost:
                lost = BusUnavailable(f"the connection to the broker at {self.place} was lost")
                self._outage.failed(lost, part=self._purpose)
            self._outage.works(self._purpose)
            return channel

    async def reset(self) -> None:
        """Leave the connection, which may hang; the next channel comes from a new one."""
        async with self._lock:
            await self._drop()

    async def close(self) -> None:
        """Close for good; the broker delivers again what was not acked."""
        self._closed = True
        await self.reset()

    @override
    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _connected(self) -> AbstractConnection:
        if self._closed:
            raise BusUnavailable("this bus is closed")
        if self._connection is not None and not self._connection.connected.is_set():
            await self._drop()
        if self._connection is None:
            self._connection = await aio_pika.connect(
                self._url,
                ssl_context=self._context,
                client_properties={"connection_name": self._name},
                connection_class=ClosingConnection,
            )
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*BROKER_ERRORS):
                async with bounded(1):  # a dead connection has nobody to say goodbye to
                    await connection.close()

    def classify_error(self, error: BaseException) -> BusRefused | BusUnavailable:
        """What one of BROKER_ERRORS means."""
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return BusRefused(f"the broker at {self.place} shows a certificate of no authority in ca_file")
        # At its limit of connections a user is told so in a frame that aiormq does not expect there.
        if isinstance(error, InvalidFrameError) or "user limit" in str(error):
            return BusUnavailable(
                f"the broker at {self.place} takes no more connections or channels of user "
                f"{self._url.user or 'guest'}: end what else uses this login, or see the broker's log"
            )
        refused = isinstance(error, ConnectionClosed) and error.args[:1] and error.args[0] in _REFUSALS
        if refused or isinstance(error, ProbableAuthenticationError):
            return BusRefused(
                f"the broker at {self.place} does not let user {self._url.user or 'guest'} into "
                f"{self._url.path}: check the password, or run deltaml admin broker apply"
            )
        return BusUnavailable(f"the broker at {self.place} does not answer ({type(error).__name__})")


def _url(broker: Broker, password: str | None) -> URL:
    url = URL(broker.url).update_query(heartbeat=str(HEARTBEAT_SECONDS))
    if broker.password_file is not None:
        password = read_passphrase(broker.password_file)
    if password is not None:
        return url.with_password(password)
    if broker.certificate_file is not None:
        return url.update_query(auth="external")
    return url


def _tls_context(broker: Broker) -> ssl.SSLContext | None:
    files = (broker.ca_file, broker.certificate_file, broker.key_file)
    if not broker.url.startswith("amqps://"):
        if any(files):
            raise ConfigurationError(f"{broker.url} with certificates: TLS needs a URL of amqps://")
        return None
    if (broker.certificate_file is None) != (broker.key_file is None):
        raise ConfigurationError("certificate_file and key_file are given together or not at all")
    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if broker.certificate_file is not None and broker.key_file is not None:
            require_private(broker.key_file)
            context.load_cert_chain(broker.certificate_file, broker.key_file)
    except OSError as error:
        names = ", ".join(str(file) for file in files if file is not None)
        raise ConfigurationError(f"cannot use {names}: {error.strerror or type(error).__name__}") from None
    return context
