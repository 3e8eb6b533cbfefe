"""A small server on loopback that answers JSON-RPC with whatever a test wants."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

SECRET = "project-key-0123456789"


class Server:
    """Calls `answer` with the decoded body; bytes are sent as they are, all else as JSON.

    A tuple is a status, a content in bytes and perhaps headers.
    """

    def __init__(self) -> None:
        self.bodies = []
        self.answer = lambda body: {"jsonrpc": "2.0", "id": body["id"], "result": "0x1"}
        self.url = ""

    async def handle(self, request):
        body = await request.json()
        self.bodies.append(body)
        answer = self.answer(body)
        if isinstance(answer, tuple):
            status, content, *headers = answer
            return web.Response(status=status, body=content, headers=dict(*headers))
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return web.Response(body=content)


@asynccontextmanager
async def running_server() -> AsyncIterator[Server]:
    """At a URL that holds a secret wherever a URL can."""
    server = Server()
    application = web.Application()
    application.router.add_post("/v3/" + SECRET, server.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://user:{SECRET}@127.0.0.1:{port}/v3/{SECRET}?key={SECRET}"
    try:
        yield server
    finally:
        await runner.cleanup()
