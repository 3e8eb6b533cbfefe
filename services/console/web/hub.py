"""Who watches what live, and what they are sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from services.console.web.section import Fragments

_log = structlog.get_logger(__name__)

PACE_SECONDS = 0.5
MOST_VIEWERS = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """How many pages one account, and one address, may have open: a thousand of one shut everybody out."""

    account: int = 50
    address: int = 200


_SHARE = Share()

Topic = tuple[str, str, str, bool]
"""Name and argument, and what tells kinds of readers apart: language, and whether they operate."""


@dataclass(eq=False, slots=True)
class Viewer:
    """One open page, whose it is, and what it has not been sent yet, by event."""

    account: str = ""
    address: str = ""
    pending: dict[str, bytes] = field(repr=False, default_factory=dict)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    def push(self, fragments: Mapping[str, bytes]) -> None:
        """Newer fragments replace those that still wait."""
        self.pending.update(fragments)
        self.ready.set()

    def close(self) -> None:
        """End the stream."""
        self.closed = True
        self.ready.set()


@dataclass(slots=True)
class Channel:
    """The viewers of a topic, and its fragments as they were sent last, encoded once for all."""

    render: Callable[[], Fragments | None]
    viewers: set[Viewer] = field(default_factory=set)
    last: dict[str, bytes] = field(repr=False, default_factory=dict)

    def refresh(self) -> None:
        """Render, and push what has changed."""
        fragments = self.render()
        if fragments is None:
            return
        sent = {event: encoded(event, html) for event, html in fragments.items()}
        changed = {event: content for event, content in sent.items() if self.last.get(event) != content}
        if changed:
            self.last.update(changed)
            for viewer in self.viewers:
                viewer.push(changed)


class Hub:
    """Woken by the daemon whenever something may have changed; looks again at most so often."""

    def __init__(self, pace_seconds: float = PACE_SECONDS, share: Share = _SHARE) -> None:
        """Made before the daemon's runtime, whose `on_change` is `wake`."""
        self._pace, self._share = pace_seconds, share
        self._woken = asyncio.Event()
        self._channels: dict[Topic, Channel] = {}
        self._closed = False

    def wake(self) -> None:
        """Something may have changed. Costs nothing while nobody looks."""
        if self._channels:
            self._woken.set()

    @property
    def viewers(self) -> int:
        """How many pages are open."""
        return len(self._everybody())

    async def run(self) -> None:
        """Push changes until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            for topic, channel in list(self._channels.items()):
                try:
                    channel.refresh()
                except Exception as error:  # noqa: BLE001  a page that cannot be drawn must not end the others
                    _log.error("live_page_failed", topic=topic[0], error=type(error).__name__)
                await asyncio.sleep(0)
            await asyncio.sleep(self._pace)

    @asynccontextmanager
    async def watching(
        self, topic: Topic, render: Callable[[], Fragments | None], account: str = "", address: str = ""
    ) -> AsyncIterator[Viewer]:
        """A viewer of a topic, with all its fragments pending.

        Raises HTTPNotFound for an argument that nothing belongs to, HTTPTooManyRequests when the account or
        the address has too many pages open, HTTPServiceUnavailable when all together have.
        """
        self._require_place(account, address)
        channel = self._channels.get(topic)
        if channel is None:
            channel = Channel(render)
            channel.refresh()
            if not channel.last:
                raise web.HTTPNotFound
            self._channels[topic] = channel
        viewer = Viewer(account, address)
        viewer.push(channel.last)
        channel.viewers.add(viewer)
        try:
            yield viewer
        finally:
            channel.viewers.discard(viewer)
            if not channel.viewers:
                self._channels.pop(topic, None)

    def close(self) -> None:
        """End all streams: the console stops."""
        self._closed = True
        for viewer in self._everybody():
            viewer.close()

    def _everybody(self) -> list[Viewer]:
        return [viewer for channel in self._channels.values() for viewer in channel.viewers]

    def _require_place(self, account: str, address: str) -> None:
        viewers = self._everybody()
        if self._closed or len(viewers) >= MOST_VIEWERS:
            raise web.HTTPServiceUnavailable
        of_account = sum(viewer.account == account for viewer in viewers)
        of_address = sum(viewer.address == address for viewer in viewers)
        if of_account >= self._share.account or of_address >= self._share.address:
            raise web.HTTPTooManyRequests


def encoded(event: str, html: str) -> bytes:
    """One event in the stream's format; line ends inside the data begin a new data line.

    A fragment that has become empty is one empty line: browsers drop an event without data.
    """
    lines = "".join(f"data: {line}\n" for line in html.splitlines() or [""])
    return f"event: {event}\n{lines}\n".encode()
