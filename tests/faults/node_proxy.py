"""A JSON-RPC server between daemons and the node, whose manner of answering a fault chooses."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web

from tests.faults.proxy import LinkProxy

Call = dict[str, Any]
Answer = dict[str, Any]

_CLOSE_SECONDS = 0.1


class NodeProxy:
    """Passes requests to the node through a manner, for the daemons that a fault leads to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.port = 0
        self.manner = Manner()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._served: list[LinkProxy] = []

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        application = web.Application(client_max_size=1 << 24)
        application.router.add_post("/", self._handle)
        self._runner = web.AppRunner(
            application, shutdown_timeout=_CLOSE_SECONDS, handler_cancellation=True, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    def serve(self, links: list[LinkProxy], manner: "Manner") -> None:
        """From now on these links lead here, and the node has this manner."""
        manner.node, self.manner, self._served = self, manner, links
        for link in links:
            link.lead_to(self.port)

    def leave(self) -> None:
        """The links lead to the node again."""
        for link in self._served:
            link.lead_back()
        self._served = []

    async def ask(self, call: Call) -> Answer:
        """The node's own answer; raises aiohttp.ClientError where there is none."""
        assert self._session is not None
        async with self._session.post(self.url, json=call) as response:
            answer: Answer = await response.json()
            return answer

    async def result(self, method: str, *parameters: object) -> Any:
        """The node's own result, None where it refuses."""
        answer = await self.ask({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)})
        return answer.get("result")

    async def head(self) -> int:
        """The number of the node's newest block."""
        return int(await self.result("eth_blockNumber"), 16)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        try:
            return await self.manner.respond(request, body)
        except (aiohttp.ClientError, OSError):  # the node, or whoever asked, has gone
            with suppress(AttributeError):
                request.transport.abort()  # type: ignore[union-attr]
            return web.Response(status=502)


class Manner:
    """A node in order. Others change what it answers; `counts` tells how often."""

    node: NodeProxy

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    async def respond(self, request: web.Request, body: Any) -> web.StreamResponse:
        """The response to a request or a batch of them."""
        return web.json_response(await self.answered(body))

    async def answered(self, body: Any) -> Any:
        """The answer to a request, or those to a batch."""
        if isinstance(body, list):
            return [await self.one(call) for call in body]
        return await self.one(body)

    async def one(self, call: Call) -> Answer:
        """The answer to one request."""
        return await self.node.ask(call)


def refusal(call: Call | None, code: int, message: str) -> Answer:
    """An error of JSON-RPC, with id null for no request in particular."""
    number = None if call is None else call["id"]
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


def calls_of(body: Any) -> list[Call]:
    """The requests in a body, one or many."""
    return body if isinstance(body, list) else [body]


def encoded(answer: Any) -> bytes:
    """As it goes over the wire."""
    return json.dumps(answer).encode()


async def drip(response: web.StreamResponse, content: bytes, seconds: float, pieces: int = 10) -> None:
    """Write the content in so many pieces over so many seconds."""
    size = max(1, -(-len(content) // pieces))
    for start in range(0, len(content), size):
        await response.write(content[start : start + size])
        await asyncio.sleep(seconds / pieces)
