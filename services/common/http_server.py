"""Serving HTTP to whoever can reach a port: connections, heads, bodies and unread answers have bounds.

aiohttp waits for an hour for the rest of a request's head, and takes as many connections as the process may
have files open. A stranger needs neither a password nor a whole request to use both.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web, web_response

from services.common.errors import ConfigurationError
from services.common.http_connections import LIMITS, Door, Limits

# The library's own tells its version, also in answers that no application sees, and no setting changes it.
web_response.SERVER_SOFTWARE = "DeltaML"  # type: ignore[attr-defined]

_SHUTDOWN_SECONDS = 2.0
_BACKLOG = 64
"""So many may be accepted at one go before the first of them is let go."""


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
    door = Door(limits, tls)
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
            door.end_all()
    finally:
        looking.cancel()
        await runner.cleanup()


async def _server(runner: web.AppRunner, door: Door, host: str, port: int, option: str) -> asyncio.Server:
    make = runner.server
    assert make is not None, "the runner is set up"
    try:
        return await asyncio.get_running_loop().create_server(
            lambda: door.protocol(make()), host, port, backlog=_BACKLOG
        )
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another {option}, "
            "and an address of this machine"
        ) from None
