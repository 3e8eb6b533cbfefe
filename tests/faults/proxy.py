"""A link between a daemon and a server on loopback that can be cut, slowed down or left half open."""

import asyncio
from collections import Counter

_CHUNK = 1 << 16


class LinkProxy:
    """Forwards TCP connections to a port; `counts` tells what the faults did."""

    def __init__(self, port: int) -> None:
        self._home = self._to = port
        self._server: asyncio.Server | None = None
        self._flows: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._frozen: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.delay = 0.0
        self.refusing = False
        self.swallowing = False
        self.counts: Counter[str] = Counter()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.drop()
        for flow in self._flows:
            flow.cancel()
        await asyncio.gather(*self._flows, return_exceptions=True)

    def lead_to(self, port: int) -> None:
        """Forward to another port; connections of now break."""
        self._to = port
        self.drop()

    def lead_back(self) -> None:
        """Forward to the port of the beginning again."""
        self.lead_to(self._home)

    def drop(self) -> int:
        """Break every connection of now; how many there were."""
        writers = list(self._writers)
        for writer in writers:
            writer.transport.abort()
        self.counts["cut"] += len(writers) // 2
        return len(writers) // 2

    def cut(self) -> None:
        """Break the connections and refuse new ones until `heal`."""
        self.refusing = True
        self.drop()

    def half_open(self, *, newcomers: bool) -> None:
        """Nothing passes any more on the connections of now, nor on new ones if so said; nobody is told."""
        self._frozen |= self._writers
        self.swallowing = newcomers

    def heal(self) -> None:
        """New connections work again. Those that are half open stay so: that is what makes them bad."""
        self.refusing, self.swallowing, self.delay = False, False, 0.0

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            self.counts["refused"] += 1
            writer.transport.abort()
            return
        try:
            there, onward = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, onward}
        if self.swallowing:
            self._frozen |= {writer, onward}
        for source, target in ((reader, onward), (there, writer)):
            flow = asyncio.create_task(self._forward(source, target))
            self._flows.add(flow)
            flow.add_done_callback(self._flows.discard)

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(_CHUNK):
                if target in self._frozen:
                    self.counts["swallowed"] += len(data)
                    continue
                if self.delay:
                    self.counts["delayed"] += 1
                    await asyncio.sleep(self.delay)
                target.write(data)
                await target.drain()
        except (OSError, RuntimeError):
            pass  # uvloop raises RuntimeError where the other direction has closed this one's transport
        finally:
            if target not in self._frozen:
                target.close()
                self._writers.discard(target)
