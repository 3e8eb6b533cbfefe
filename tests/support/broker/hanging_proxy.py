"""A way to a TCP server that can hang: connections stay open, but nothing passes any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class HangingProxy:
    """Forwards connections; those made before `hang` are then held up for ever."""

    def __init__(self, broker: str) -> None:
        self.broker, self.place, self.connections = broker, "", 0
        self._flows: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    def hang(self) -> None:
        """Forward nothing more on the connections of now."""
        for flow in self._flows:
            flow.cancel()
        self._flows.clear()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        host, port = self.broker.rsplit(":", 1)
        there, onward = await asyncio.open_connection(host, int(port))
        self._writers += [writer, onward]
        for source, target in ((reader, onward), (there, writer)):
            self._flows.append(asyncio.create_task(_forward(source, target)))

    async def close(self) -> None:
        self.hang()
        for writer in self._writers:
            writer.close()


async def _forward(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(1 << 16):
        target.write(data)
        await target.drain()
    target.close()


@asynccontextmanager
async def hanging_proxy(url: str) -> AsyncIterator[HangingProxy]:
    """A proxy to the server of a URL."""
    parts = urlsplit(url)
    proxy = HangingProxy(f"{parts.hostname}:{parts.port or 5672}")
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    proxy.place = f"{host}:{port}"
    async with server:
        yield proxy
        await proxy.close()
