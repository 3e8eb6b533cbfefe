"""Connections that say nothing, half a thing, or very little at a time: others are answered all the same."""

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from services.common.http_connections import Limits
from services.common.http_server import listening

PATIENCE = 300
"""Seconds for what comes at once: a busy machine may keep any process from its work."""

HEAD = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
QUICK = Limits(connections=20, head_seconds=0.2, idle_seconds=0.4, progress_seconds=0.2, look_seconds=0.02)


@asynccontextmanager
async def serving(limits, served=None):
    """A server; yields its port. The transports of its long answers are added to `served`."""

    async def health(_request):
        return web.Response(text="ok")

    async def upload(request):
        return web.Response(text=str(len(await request.read())))

    async def large(request):
        if served is not None:
            served.append(request.transport)
        return web.Response(body=bytes(32 << 20))

    application = web.Application(client_max_size=1 << 20)
    application.add_routes(
        [web.get("/health", health), web.post("/upload", upload), web.get("/large", large)]
    )
    async with listening(application, "127.0.0.1", 0, option="port", limits=limits) as port:
        yield port


async def honest(port) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + b"Connection: close\r\n\r\n")
    try:
        return await reader.read()
    finally:
        writer.transport.abort()


async def until_closed(reader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        HEAD,
        b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nabc",
        HEAD + b"\r\n" + HEAD,
    ],
    ids=["nothing", "a byte", "half a head", "half a body", "a request and half of another"],
)
async def test_what_is_never_finished_is_ended(sent) -> None:
    async with serving(QUICK) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await until_closed(reader)
        writer.transport.abort()
        assert (await honest(port)).endswith(b"ok")


@pytest.mark.parametrize(
    "begun", [HEAD, b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"], ids=["head", "body"]
)
async def test_a_byte_now_and_then_is_not_enough(begun) -> None:
    async with serving(QUICK) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        closed = asyncio.create_task(until_closed(reader))
        while not closed.done():
            writer.write(b"x")
            await asyncio.sleep(0.02)
        await closed
        writer.transport.abort()


async def test_an_answer_that_nobody_reads_is_ended() -> None:
    served = []
    async with serving(QUICK, served) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            while not (served and served[0].is_closing()):
                await asyncio.sleep(0.01)
        assert len(await until_closed(reader)) < 32 << 20
        writer.transport.abort()


async def test_a_slow_but_steady_body_is_taken() -> None:
    async with serving(replace(QUICK, progress_seconds=0.5)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        size = 60 * 500
        writer.write(
            b"POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
        )
        for _ in range(60):
            writer.write(b"x" * 500)
            await asyncio.sleep(0.02)
        assert (await until_closed(reader)).endswith(b"%d" % size)
        writer.transport.abort()


async def test_whoever_sends_a_request_gets_the_place_of_who_does_not() -> None:
    patient = Limits(connections=20, head_seconds=3600, idle_seconds=3600, look_seconds=3600)
    async with serving(patient) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        for _, writer in held:
            writer.write(HEAD)
        assert (await honest(port)).endswith(b"ok")
        closed = [asyncio.create_task(until_closed(reader)) for reader, _ in held[:80]]
        await asyncio.gather(*closed)
        for _, writer in held:
            writer.transport.abort()


async def test_a_part_of_a_request_behind_another_has_a_heads_time_and_no_more() -> None:
    patient = Limits(head_seconds=0.2, idle_seconds=3600, look_seconds=0.02)
    async with serving(patient) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"\r\n" + HEAD)
        assert b"ok" in await until_closed(reader)
        writer.transport.abort()


@pytest.mark.parametrize(
    "request_bytes",
    [HEAD + b"\r\n", b"POST /upload?a=%20 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"],
    ids=["without a body", "with a body"],
)
async def test_between_whole_requests_there_is_the_time_of_idleness(request_bytes) -> None:
    """Several at once, too: nothing is left over of them."""
    patient = Limits(head_seconds=0.2, idle_seconds=3600, look_seconds=0.02)
    async with serving(patient) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(3 * request_bytes)
        for _ in range(3):
            await reader.readuntil(b"ok" if b"GET" in request_bytes else b"\r\n\r\n3")
        silent, other = await asyncio.open_connection("127.0.0.1", port)
        await until_closed(silent)  # it had a head's time after the others were answered
        other.transport.abort()
        writer.write(HEAD + b"Connection: close\r\n\r\n")
        assert (await until_closed(reader)).endswith(b"ok")
        writer.transport.abort()


@asynccontextmanager
async def working(limits, release):
    """A server whose answers wait until `release` is set; yields its port, and what counts those begun."""
    begun = asyncio.Semaphore(0)

    async def slow(_request):
        begun.release()
        await release.wait()
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_get("/slow", slow)
    async with listening(application, "127.0.0.1", 0, option="port", limits=limits) as port:
        yield port, begun


async def asking(port, begun, address):
    """A connection from an address whose request is being worked on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        await begun.acquire()
    return reader, writer


async def test_an_address_that_has_all_places_makes_room_for_another() -> None:
    """Its requests are whole, and worked on: nothing but its share sets them apart."""
    release = asyncio.Event()
    async with working(Limits(connections=8), release) as (port, begun):
        greedy = [await asking(port, begun, "127.0.0.2") for _ in range(8)]
        others = [await asking(port, begun, f"127.0.0.{number}") for number in range(3, 9)]
        assert [await until_closed(reader) for reader, _ in greedy[:6]] == [b""] * 6
        release.set()
        for reader, _ in (*others, *greedy[6:]):
            assert (await until_closed(reader)).endswith(b"ok")
        for _, writer in (*greedy, *others):
            writer.transport.abort()


async def test_who_has_its_share_and_no_more_is_not_cut_off() -> None:
    release = asyncio.Event()
    async with working(Limits(connections=8), release) as (port, begun):
        modest = [await asking(port, begun, f"127.0.0.{2 + number // 2}") for number in range(8)]
        late, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.9", 0))
        assert await until_closed(late) == b""
        writer.transport.abort()
        release.set()
        for reader, writer in modest:
            assert (await until_closed(reader)).endswith(b"ok")
            writer.transport.abort()


DAEMON = """
import asyncio, json, os, resource, sys
import uvloop
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from services.observability.counters import Meter
from services.observability.prometheus import DaemonCollector, serving

async def main():
    async with serving(int(sys.argv[1]), DaemonCollector([], Meter())):
        print("up", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip() == "exhaust":
                held = []
                try:
                    while True:
                        held.append(os.dup(0))
                except OSError:
                    pass
            if line.strip() == "release":
                for file in held:
                    os.close(file)
            print(json.dumps(len(os.listdir("/proc/self/fd")) if line.strip() == "count" else 0), flush=True)

uvloop.run(main())
"""


@pytest.fixture
def daemon(unused_tcp_port):
    command = [sys.executable, "-c", DAEMON, str(unused_tcp_port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "up\n"
        yield process, unused_tcp_port
        process.stdin.close()


async def told(process, line):
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return json.loads(await asyncio.to_thread(process.stdout.readline))


async def test_a_thousand_half_open_connections_leave_a_process_its_files(daemon) -> None:
    """Far more of them than it may have files open: it keeps most for its node, broker and store."""
    process, port = daemon
    before = await told(process, "count")
    held = []
    for _ in range(700):
        _, writer = connection = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD)
        held.append(connection)
    assert b'"status": "ok"' in await honest(port)
    assert await told(process, "count") <= before + 256 // 4 + 2
    for _, writer in held:
        writer.transport.abort()
    assert b'"status": "ok"' in await honest(port)


async def test_a_process_without_a_file_to_spare_serves_again_once_it_has_some(daemon) -> None:
    process, port = daemon
    await told(process, "exhaust")
    waiting = asyncio.create_task(honest(port))
    await asyncio.sleep(0.1)
    await told(process, "release")
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(PATIENCE):
        assert b'"status": "ok"' in await honest(port)
