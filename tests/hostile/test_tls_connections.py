"""With TLS: a handshake keeps no more places than a connection, and none is lost to a busy loop."""

import asyncio
import gc
import socket
import ssl
import time
import urllib.request

import pytest
import uvloop
from aiohttp import web

from services.common.http_connections import Limits
from services.common.http_server import listening
from tests.support.broker.certificates import Authority

PATIENCE = 300
"""Seconds for what comes at once: a busy machine may keep any process from its work."""

LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """(the authority's certificate, a server's certificate, its key)."""
    authority = Authority(tmp_path_factory.mktemp("tls") / "authority")
    return authority.certificate, *authority.issue("server", extensions="subjectAltName=DNS:localhost")


def serving(certificates, limits):
    async def health(_request):
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_get("/health", health)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificates[1:])
    return listening(application, "127.0.0.1", 0, option="port", limits=limits, tls=tls)


async def assert_ended(readers):
    async with asyncio.timeout(PATIENCE):
        ended = await asyncio.gather(*(reader.read() for reader in readers), return_exceptions=True)
    assert all(end == b"" or isinstance(end, ConnectionError) for end in ended)


def fetch(port, certificates) -> bytes:
    trusted = ssl.create_default_context(cafile=certificates[0])
    with urllib.request.urlopen(
        f"https://localhost:{port}/health", context=trusted, timeout=PATIENCE
    ) as answer:
        return answer.read()


@LOOPS
def test_a_hello_that_came_while_the_loop_was_busy_is_answered(certificates, run):
    async def scenario():
        async with serving(certificates, Limits()) as port:
            answers = [asyncio.create_task(asyncio.to_thread(fetch, port, certificates)) for _ in range(5)]
            await asyncio.sleep(0)
            time.sleep(0.3)  # noqa: ASYNC251  both packets wait when the loop looks again
            assert await asyncio.gather(*answers) == [b"ok"] * 5

    run(scenario())


@LOOPS
def test_silent_handshakes_keep_nobody_out_and_are_ended(certificates, run):
    async def scenario():
        async with serving(certificates, Limits(connections=10, head_seconds=0.5)) as port:
            silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
            assert await asyncio.to_thread(fetch, port, certificates) == b"ok"
            await assert_ended(reader for reader, _ in silent)
            for _, writer in silent:
                writer.transport.abort()

    run(scenario())


@LOOPS
def test_handshakes_are_counted_from_their_first_packet_on(certificates, run):
    """Each costs the process a file: 40 that say nothing for an hour must not keep more than ten of them."""

    async def scenario():
        async with serving(certificates, Limits(connections=10, head_seconds=3600)) as port:
            silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
            await assert_ended(reader for reader, _ in silent[:30])
            assert not any(reader.at_eof() for reader, _ in silent[30:])
            for _, writer in silent:
                writer.transport.abort()

    run(scenario())


@LOOPS
def test_handshakes_that_make_room_before_they_have_begun_leave_no_file_open(certificates, run):
    """A closed file is what the client sees the end by; the collector of cycles must not be waited for."""

    async def scenario():
        async with serving(certificates, Limits(connections=5, head_seconds=3600)) as port:
            silent = [
                socket.create_connection(("127.0.0.1", port)) for _ in range(40)
            ]  # in one turn of the loop
            loop = asyncio.get_running_loop()
            for one in silent:
                one.setblocking(False)
            async with asyncio.timeout(PATIENCE):
                assert await asyncio.gather(*(loop.sock_recv(one, 1) for one in silent[:35])) == [b""] * 35
            for one in silent:
                one.close()

    gc.disable()
    try:
        run(scenario())
    finally:
        gc.enable()


@LOOPS
def test_what_is_no_handshake_is_ended(certificates, run):
    async def scenario():
        async with serving(certificates, Limits(head_seconds=3600)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health HTTP/1.1\r\n\r\n")
            async with asyncio.timeout(PATIENCE):
                assert b"ok" not in await reader.read()
            writer.transport.abort()
            assert await asyncio.to_thread(fetch, port, certificates) == b"ok"

    run(scenario())
