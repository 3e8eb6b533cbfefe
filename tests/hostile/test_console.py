"""Bytes that are no Unicode, in every place of a request to a console: refused."""

import asyncio

import pytest

from services.console.app import SECTIONS
from tests.support.console.world import ConsoleWorld

ROLES = tuple(SECTIONS)


@pytest.fixture(params=ROLES)
async def attacked(request, tmp_path):
    async with ConsoleWorld(tmp_path, request.param).running() as world:
        yield world


async def test_bytes_that_are_no_unicode_are_refused_in_every_place(attacked):
    port = int(attacked.url.rpartition(":")[2])
    cookie = attacked.console.context.cookie.encode()
    device = attacked.console.context.device_cookie.encode()
    host = b"Host: 127.0.0.1\r\n"
    requests = [
        b"GET /\xff\xfe HTTP/1.1\r\n" + host,
        b"GET /trainings?next=\xed\xa0\x80 HTTP/1.1\r\n" + host,
        b"GET /trainings HTTP/1.1\r\nHost: \xff\xfe\r\n",
        b"GET /trainings HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
        b"GET /sign-in HTTP/1.0\r\n",
        b"GET /trainings HTTP/1.1\r\n" + host + b"Cookie: " + cookie + b"=\xff\xfe\r\n",
        b"GET /sign-in HTTP/1.1\r\n" + host + b"Accept-Language: \xff\xfe\r\nX-Forwarded-For: \xff\r\n",
        b"POST /sign-in HTTP/1.1\r\n" + host + b"Origin: \xff\xfe\r\nContent-Length: 0\r\n",
        b"POST /sign-in HTTP/1.1\r\n" + host + b"Sec-Fetch-Site: same-origin\r\nContent-Length: 6\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nCookie: " + device + b"=\xff.\xff\r\n",
        b"POST /sign-in HTTP/1.1\r\n"
        + host
        + b"Sec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nzz\r\n",
    ]
    for request in requests:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        end = b"Connection: close\r\n\r\n" if b"\r\n\r\n" not in request else b""
        writer.write(request + end + (b"name=a" if b"Content-Length: 6" in request else b""))
        async with asyncio.timeout(20):
            line = await reader.readline()
        writer.close()
        assert 200 <= int(line.split()[1]) < 500, (request, line)
