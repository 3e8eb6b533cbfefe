"""Serving HTTP to whoever can reach a port: connections, heads, bodies and unread answers have bounds.

aiohttp waits for an hour for the rest of a request's head, and takes as many connections as the process may
have files open. A stranger needs neither a password nor a whole request to use both.
"""

import asyncio
import resource
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from aiohttp import web, web_response

from services.common.errors import ConfigurationError

# The library's own tells its version, also in answers that no application sees, and no setting changes it.
web_response.SERVER_SOFTWARE = "DeltaML"  # type: ignore[attr-defined]

_SHUTDOWN_SECONDS = 2.0
_BACKLOG = 64
"""So many may be accepted at one go before the first of them is let go."""

_SHARE_OF_FILES = 4
"""One server takes no more than this part of the files that the process may have open."""

_SHARE_OF_ADDRESS = 4
"""At a full server one address keeps no more than this part of the places; a proxy has one for all."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server grants its clients, in seconds and bytes.

    `head_seconds` from the connection, or from its first byte, to the end of a request's head; `idle_seconds`
    between two requests; in every `progress_seconds` a body must bring `least_bytes`, and some of an answer
    must be read. At `connections` the one that has waited longest without a request makes room.
    """

    connections: int = 1000
    head_seconds: float = 10.0
    idle_seconds: float = 75.0
    progress_seconds: float = 30.0
    least_bytes: int = 1024
    look_seconds: float = 1.0


LIMITS = Limits()


class _Connection(asyncio.Protocol):
    """Between a transport and aiohttp's protocol: sees what comes, and when."""

    def __init__(self, inner: web.RequestHandler, door: "_Door") -> None:
        self._inner, self._door = inner, door
        self.transport: asyncio.Transport | None = None
        self.request: web.Request | None = None
        self._refused = False
        self._handshake: asyncio.Task[None] | None = None
        self._made = False
        self._early = bytearray()
        self._served = False
        self._since = self._progress_at = door.now()
        self._received = self._received_before = self._unread_before = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one, but no subclass
        self._refused = not self._door.admit(self)
        if self._refused:
            self.transport.abort()
        elif self._door.tls is None:
            self._begin_serving()
        else:
            self._handshake = asyncio.create_task(self._secure(self.transport, self._door.tls))

    async def _secure(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        """The handshake, of a connection that is counted already: silence in it must not cost a file more."""
        loop, seconds = asyncio.get_running_loop(), self._door.limits.head_seconds
        try:
            secured = await loop.start_tls(
                transport, self, tls, server_side=True, ssl_handshake_timeout=seconds
            )
        except OSError:
            self._door.end(self)
            return
        if secured is None:  # closed meanwhile
            self._door.leave(self)
            return
        self._door.leave(self)
        self.transport = secured
        if not self._door.admit(self):
            self.transport.abort()
            return
        self._begin_serving()

    def _begin_serving(self) -> None:
        assert self.transport is not None
        self._made = True
        self._inner.connection_made(self.transport)
        if self._early:
            self.data_received(bytes(self._early))
            self._early.clear()

    @property
    def address(self) -> str:
        """Whose connection it is."""
        peer = None if self.transport is None else self.transport.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    def data_received(self, data: bytes) -> None:
        if not self._made:  # the end of the handshake and the first bytes came together
            self._early += data
            return
        if self.request is None and not self._received:
            self._since = self._door.now()
        self._received += len(data)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        if self._made:
            self._inner.eof_received()
        return None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._handshake is not None:
            self._handshake.cancel()
        if not self._refused:
            self._door.leave(self)
        if self._made:
            self._inner.connection_lost(exc)

    def begin(self, request: web.Request) -> None:
        """The head of a request is whole."""
        self.request, self._progress_at = request, self._door.now()
        self._received_before = self._received

    def end(self) -> None:
        """The request is answered, but for what waits to be sent."""
        self.request, self._served, self._received = None, True, 0
        self._since = self._progress_at = self._door.now()

    @property
    def waits_since(self) -> float | None:
        """Since when a request is waited for; None while one is in hand or an answer is on its way."""
        return None if self.request is not None or self._unread() else self._since

    def _unread(self) -> int:
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    def overdue(self, limits: Limits) -> bool:
        """Whether the client has had its time."""
        now = self._door.now()
        if self.waits_since is not None:
            between = self._served and not self._received
            return now - self._since > (limits.idle_seconds if between else limits.head_seconds)
        if now - self._progress_at <= limits.progress_seconds:
            return False
        stalls = self._body_stalls(limits) or self._unread() >= self._unread_before > 0
        self._progress_at = now
        self._received_before, self._unread_before = self._received, self._unread()
        return stalls

    def _body_stalls(self, limits: Limits) -> bool:
        assert self.transport is not None
        awaited = self.request is not None and not self.request.content.is_eof()
        # One whose reader holds it back is not to blame.
        return (
            awaited
            and self.transport.is_reading()
            and self._received - self._received_before < limits.least_bytes
        )


class _Door:
    """All connections of one server."""

    def __init__(self, limits: Limits, tls: ssl.SSLContext | None) -> None:
        self.limits, self.tls = limits, tls
        self._most = _within_files(limits.connections)
        self._connections: dict[asyncio.BaseTransport, _Connection] = {}
        self.now = asyncio.get_running_loop().time

    def admit(self, connection: _Connection) -> bool:
        """Whether there is room, or can be made.

        Who sends no request keeps nobody out who does, nor does an address that has more than its share.
        """
        assert connection.transport is not None
        if len(self._connections) >= self._most:
            gone = self._longest_without_request() or self._first_of_the_greediest()
            if gone is None:
                return False
            self.end(gone)
        self._connections[connection.transport] = connection
        return True

    def _longest_without_request(self) -> _Connection | None:
        waiting = [(entry.waits_since, entry) for entry in self._connections.values() if entry.waits_since]
        return min(waiting, key=lambda pair: pair[0])[1] if waiting else None

    def _first_of_the_greediest(self) -> _Connection | None:
        by_address = Counter(entry.address for entry in self._connections.values())
        address, count = by_address.most_common(1)[0]
        if count <= self._most // _SHARE_OF_ADDRESS:
            return None
        return next(entry for entry in self._connections.values() if entry.address == address)

    def leave(self, connection: _Connection) -> None:
        """It is closed."""
        if connection.transport is not None:
            self._connections.pop(connection.transport, None)

    async def look(self) -> None:
        """End what is overdue, again and again until cancelled."""
        while True:
            await asyncio.sleep(self.limits.look_seconds)
            for connection in list(self._connections.values()):
                if connection.overdue(self.limits):
                    self.end(connection)

    def end(self, connection: _Connection) -> None:
        """Cut it off."""
        assert connection.transport is not None
        self.leave(connection)
        connection.transport.abort()

    @web.middleware
    async def follow(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Outermost: knows a request from the end of its head to its answer."""
        connection = self._connections.get(request.transport) if request.transport is not None else None
        if connection is None:
            return await handler(request)
        connection.begin(request)
        try:
            return await handler(request)
        finally:
            connection.end()


def _within_files(connections: int) -> int:
    try:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    except OSError:  # the unit's filter of system calls forbids to ask
        return connections
    return (
        connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft // _SHARE_OF_FILES))
    )


@asynccontextmanager
async def listening(
    application: web.Application,
    host: str,
    port: int,
    *,
    option: str,
    tls: ssl.SSLContext | None = None,
    limits: Limits = LIMITS,
) -> AsyncIterator[int]:
    """Serve an application while the block runs, which gets the port; 0 takes a free one.

    Raises ConfigurationError for a port that is taken, which names the `option` that chooses another.
    """
    door = _Door(limits, tls)
    application.middlewares.insert(0, door.follow)
    runner = web.AppRunner(
        application,
        access_log=None,
        shutdown_timeout=_SHUTDOWN_SECONDS,
        handler_cancellation=True,
        auto_decompress=False,  # nothing compressed is taken: a little of it can be very long
    )
    await runner.setup()
    looking = asyncio.create_task(door.look())
    try:
        server = await _server(runner, door, host, port, option)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
    finally:
        looking.cancel()
        await runner.cleanup()


async def _server(runner: web.AppRunner, door: _Door, host: str, port: int, option: str) -> asyncio.Server:
    make = runner.server
    assert make is not None, "the runner is set up"
    try:
        return await asyncio.get_running_loop().create_server(
            lambda: _Connection(make(), door), host, port, backlog=_BACKLOG
        )
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another {option}, "
            "and an address of this machine"
        ) from None
