"""The connections of an HTTP server: counted, and ended when they keep a place and do nothing.

A stranger needs neither a password nor a whole request to open one.
"""

import asyncio
import os
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from aiohttp import web

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


class _Handshake(asyncio.Protocol):
    """Before a connection is safe: counted from the first packet on, as silence costs a file here already.

    A loop's own TLS server counts none before its handshake ends, and start_tls loses what came before it. So
    the socket is taken from its transport before that reads, and begins anew.
    """

    def __init__(self, inner: web.RequestHandler, door: "Door", tls: ssl.SSLContext) -> None:
        self._inner, self._door, self._tls = inner, door, tls
        self.address = ""
        self.transport: asyncio.BaseTransport | None = None
        self.waits_since: float | None = door.now()
        self._securing: asyncio.Task[bool] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.address, self.transport = _address(transport), transport
        if self._door.admit(self):
            self._begin(transport.get_extra_info("socket").fileno())
        cast(asyncio.Transport, transport).abort()

    def _begin(self, descriptor: int) -> None:
        try:
            taken = socket.socket(fileno=os.dup(descriptor))
        except OSError:  # the process has no file left
            self._door.leave(self)
            return
        self._securing = asyncio.create_task(self._secure(taken))
        self._securing.add_done_callback(partial(self._ended, taken))

    async def _secure(self, taken: socket.socket) -> bool:
        loop, seconds = asyncio.get_running_loop(), self._door.limits.head_seconds
        try:
            await loop.connect_accepted_socket(
                self._secured, taken, ssl=self._tls, ssl_handshake_timeout=seconds
            )
        except OSError:
            return False  # gone, silent, or of another protocol: nobody to tell
        return True

    def _ended(self, taken: socket.socket, securing: "asyncio.Task[bool]") -> None:
        """Also of a task that was cancelled before it began, whose socket nobody else would close."""
        self._door.leave(self)
        if securing.cancelled() or not securing.result():
            taken.close()

    def _secured(self) -> "_Connection":
        return _Connection(self._inner, self._door, after=self)

    def overdue(self, _limits: Limits) -> bool:
        """Never: the handshake has a clock of its own."""
        return False

    def abort(self) -> None:
        """Cut it off."""
        if self._securing is not None:
            self._securing.cancel()


class _Connection(asyncio.Protocol):
    """Between a transport and aiohttp's protocol: sees what comes, and when."""

    def __init__(self, inner: web.RequestHandler, door: "Door", after: _Handshake | None = None) -> None:
        self._inner, self._door, self._after = inner, door, after
        self.transport: asyncio.Transport | None = None
        self.request: web.Request | None = None
        self._refused = False
        self._served = False
        self._since = self._progress_at = door.now()
        self._received = self._received_before = self._unread_before = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._after is not None:
            self._door.leave(self._after)
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one, but no subclass
        self._refused = not self._door.admit(self)
        if self._refused:
            self.transport.abort()
        else:
            self._inner.connection_made(self.transport)

    @property
    def address(self) -> str:
        """Whose connection it is."""
        return "" if self.transport is None else _address(self.transport)

    def data_received(self, data: bytes) -> None:
        if self.request is None and not self._received:
            self._since = self._door.now()
        self._received += len(data)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        self._inner.eof_received()
        return None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        if not self._refused:
            self._door.leave(self)
            self._inner.connection_lost(exc)

    def begin(self, request: web.Request) -> None:
        """The head of a request is whole."""
        self.request, self._progress_at = request, self._door.now()
        self._received_before = self._received

    def end(self) -> None:
        """The request is answered, but for what waits to be sent.

        What came beyond it is the beginning of another, which has a head's time and not that of idleness.
        """
        if self.request is not None:
            self._received = max(0, self._received - _size_of(self.request))
        self.request, self._served = None, True
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

    def abort(self) -> None:
        """Cut it off."""
        assert self.transport is not None
        self.transport.abort()


class Door:
    """All connections of one server."""

    def __init__(self, limits: Limits, tls: ssl.SSLContext | None) -> None:
        self.limits, self.tls = limits, tls
        self._most = _within_files(limits.connections)
        self._entries: dict[asyncio.BaseTransport, _Connection | _Handshake] = {}
        self.now = asyncio.get_running_loop().time

    def protocol(self, inner: web.RequestHandler) -> asyncio.Protocol:
        """What sees a new connection first."""
        return _Connection(inner, self) if self.tls is None else _Handshake(inner, self, self.tls)

    def admit(self, entry: _Connection | _Handshake) -> bool:
        """Whether there is room, or can be made.

        Who sends no request keeps nobody out who does, nor does an address that has more than its share.
        """
        assert entry.transport is not None
        if len(self._entries) >= self._most:
            gone = self._longest_without_request() or self._first_of_the_greediest()
            if gone is None:
                return False
            self.end(gone)
        self._entries[entry.transport] = entry
        return True

    def _longest_without_request(self) -> _Connection | _Handshake | None:
        waiting = [(entry.waits_since, entry) for entry in self._entries.values() if entry.waits_since]
        return min(waiting, key=lambda pair: pair[0])[1] if waiting else None

    def _first_of_the_greediest(self) -> _Connection | _Handshake | None:
        by_address = Counter(entry.address for entry in self._entries.values())
        address, count = by_address.most_common(1)[0]
        if count <= self._most // _SHARE_OF_ADDRESS:
            return None
        return next(entry for entry in self._entries.values() if entry.address == address)

    def leave(self, entry: _Connection | _Handshake) -> None:
        """It is closed."""
        if entry.transport is not None:
            self._entries.pop(entry.transport, None)

    async def look(self) -> None:
        """End what is overdue, again and again until cancelled."""
        while True:
            await asyncio.sleep(self.limits.look_seconds)
            for entry in list(self._entries.values()):
                if entry.overdue(self.limits):
                    self.end(entry)

    def end(self, entry: _Connection | _Handshake) -> None:
        """Cut it off."""
        self.leave(entry)
        entry.abort()

    def end_all(self) -> None:
        """Cut off what has not become a connection yet: the library ends the others itself."""
        for entry in list(self._entries.values()):
            if isinstance(entry, _Handshake):
                self.end(entry)

    @web.middleware
    async def follow(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Outermost: knows a request from the end of its head to its answer."""
        connection = self._entries.get(request.transport) if request.transport is not None else None
        if not isinstance(connection, _Connection):
            return await handler(request)
        connection.begin(request)
        try:
            return await handler(request)
        finally:
            connection.end()


def _size_of(request: web.Request) -> int:
    """Bytes of a request whose head is written without blanks to spare; of others, and of chunks, too few."""
    line = len(request.method) + len(request.raw_path) + len(b"  HTTP/1.1\r\n")
    head = sum(len(name) + len(value) + len(b": \r\n") for name, value in request.raw_headers)
    return line + head + len(b"\r\n") + request.content.total_bytes


def _address(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


def _within_files(connections: int) -> int:
    try:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    except OSError:  # the unit's filter of system calls forbids to ask
        return connections
    return (
        connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft // _SHARE_OF_FILES))
    )
