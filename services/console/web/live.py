"""Live pages by server-sent events: rendered once per change, topic and kind of reader, not once per viewer.

A viewer that is slow or away misses nothing: for every event only the newest fragment waits for it, and each
connection begins with all of them. So a page that was open while the daemon restarted is right again as soon
as the browser has reconnected, which it does by itself.
"""

import asyncio
from collections.abc import Mapping

import structlog
from aiohttp import web

from services.common.tasks import wait_for_event
from services.console.presentation.rendering import Reader
from services.console.web.access import access, page_of
from services.console.web.hub import Hub, Viewer, encoded
from services.console.web.pages import Page
from services.console.web.section import Live

_log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
_WRITE_SECONDS = 30.0
_RETRY_MILLISECONDS = 1000


class LivePages:
    """The handler of `/live/<topic>` and `/live/<topic>/<argument>`."""

    def __init__(
        self, hub: Hub, topics: Mapping[str, Live], heartbeat_seconds: float = HEARTBEAT_SECONDS
    ) -> None:
        """`topics` are the section's."""
        self._hub, self._topics, self._heartbeat = hub, topics, heartbeat_seconds

    @access("public")
    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Stream fragments until the viewer leaves, its session ends, or the console stops.

        Browsers do not tell a page why a stream was refused: who is not signed in gets one that says so.
        """
        name = request.match_info["topic"]
        argument = request.match_info.get("argument", "")
        page, live = page_of(request), self._topics.get(name)
        if page.session is None:
            response = await _opened(request)
            await _sent(response, SIGNED_OUT)
            return response
        if live is None:
            raise web.HTTPNotFound
        reader: Reader = page.reader
        topic = (name, argument, reader.language, reader.operates)
        whose = page.session.account, page.address
        async with self._hub.watching(topic, lambda: live(reader, argument), *whose) as viewer:
            response = await _opened(request)
            await self._push(page, viewer, response)
        return response

    async def _push(self, page: Page, viewer: Viewer, response: web.StreamResponse) -> None:
        token = page.request.cookies.get(page.context.cookie, "")
        while True:
            content = await self._next(viewer)
            if viewer.closed:
                return
            # An open page is no use of the session: it must not keep an unattended one alive.
            if page.context.sessions.of(token, used=False) is None:
                await _sent(response, SIGNED_OUT)
                return
            if not await _sent(response, content):
                return

    async def _next(self, viewer: Viewer) -> bytes:
        if not await wait_for_event(viewer.ready, self._heartbeat):
            return b": still here\n\n"
        viewer.ready.clear()
        fragments, viewer.pending = viewer.pending, {}
        return b"".join(fragments.values())


async def _opened(request: web.Request) -> web.StreamResponse:
    headers = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(f"retry: {_RETRY_MILLISECONDS}\n\n".encode())
    return response


async def _sent(response: web.StreamResponse, content: bytes) -> bool:
    """Whether the viewer took it; one that left or takes nothing for too long is let go, and comes back."""
    try:
        async with asyncio.timeout(_WRITE_SECONDS):
            await response.write(content)
    except (ConnectionResetError, TimeoutError):
        return False
    return True


SIGNED_OUT = encoded("signed_out", "")
"""The session has ended: the page loads itself again, which leads to signing in."""
