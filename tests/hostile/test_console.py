"""Every route of every console under what strangers and users may send: refused, and nobody waits."""

import asyncio
import io
import os
import re
import time
import tracemalloc
from contextlib import asynccontextmanager

import pytest
from yarl import URL

from services.console.app import SECTIONS
from tests.support.console.world import Browser, ConsoleWorld

ROLES = tuple(SECTIONS)
LONGEST_TURN_SECONDS = 1.0
MOST_MEMORY = 32 << 20
BOUNDARY = "boundary"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def part(name, content, more=""):
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{content}\r\n'.encode()
    )


END = f"--{BOUNDARY}--\r\n".encode()
BODIES = {
    "punycode": (f"{URLENCODED}; charset=punycode", b"name=" + b"a" * 600_000),
    "punycode, short": (f"{URLENCODED}; charset=punycode", b"name=" + b"a" * 10_000),
    "no such charset": (f"{URLENCODED}; charset=nonsense", b"name=a"),
    "UTF-16": (f"{URLENCODED}; charset=utf-16", "name=a".encode("utf-16")),
    "invalid UTF-8": (URLENCODED, b"name=\xff\xfe"),
    "invalid UTF-8, escaped": (URLENCODED, b"name=%ff%fe"),
    "lone surrogate": (URLENCODED, b"name=%ed%a0%80"),
    "NUL": (URLENCODED, b"name=a%00b&reason=%00"),
    "too long": (URLENCODED, b"name=" + b"a" * (3 << 20)),
    "many escapes": (URLENCODED, b"yaml=" + b"%41" * 600_000),
    "many fields": (URLENCODED, b"&".join(b"n%d=1" % number for number in range(200_000))),
    "JSON": ("application/json", b'{"name": "olga"}'),
    "no type": ("", b"name=olga"),
    "malformed type": ("multipart/form-data; boundary=", b"name=olga"),
    "no boundary": ("multipart/form-data", b"--x\r\n\r\n"),
    "lines before the first part": (MULTIPART, b"\n" * (1 << 20)),
    "unfinished part": (MULTIPART, part("name", "olga")[:-10]),
    "part without a name": (MULTIPART, f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + END),
    "many parts": (MULTIPART, part("name", "a") * 20_000 + END),
    "many headers": (MULTIPART, f"--{BOUNDARY}\r\n".encode() + b"A: b\r\n" * 10_000),
    "a part in punycode": (
        MULTIPART,
        part("name", "a" * 100_000, "\r\nContent-Type: text/plain; charset=punycode") + END,
    ),
    "all parts in punycode": (MULTIPART, part("_charset_", "punycode") + part("name", "a" * 9000) + END),
    "parts in parts": (MULTIPART, part("file", "x", "\r\nContent-Type: multipart/mixed; boundary=y") + END),
    "a file name in a strange charset": (
        MULTIPART,
        part("file", "x", "; filename*=punycode''%s" % ("a" * 1500)) + END,
    ),
    "a path for a file name": (MULTIPART, part("file", "a\n1\n", '; filename="../../../etc/x.csv"') + END),
    "NUL in a file name": (MULTIPART, part("file", "a", '; filename="a\0.csv"') + END),
    "compressed": (URLENCODED, b"\x1f\x8b" + b"0" * 100),
}
HEADERS = {
    "compressed": {"Content-Encoding": "gzip"},
}
PATHS = (
    "a",
    "%00",
    "%ff",
    "%ED%A0%80",
    "..%2F..%2Fetc%2Fpasswd",
    "%2e%2e",
    "%0d%0aSet-Cookie:x",
    "a" * 4000,
    "order:1",
)
QUERIES = (
    "",
    "?next=%0d%0aX:%20y",
    "?next=%ff",
    "?page=%00",
    "?from=%00",
    "?page=" + "9" * 4000,
    "?" + "a&" * 2000,
)


@asynccontextmanager
async def watched(world):
    """While the block runs the loop is never held up for long, and others are answered."""
    turns, asked = [0.0], []

    async def tick():
        while True:
            before = time.thread_time()  # of the loop's thread: others on this machine do not count
            await asyncio.sleep(0.01)
            turns.append(time.thread_time() - before)

    async def honest(browser):
        while True:
            asked.append(await browser.status("/trainings"))
            await asyncio.sleep(0.1)

    async with Browser(world) as victor:
        await victor.sign_in("victor")
        tasks = [asyncio.create_task(tick()), asyncio.create_task(honest(victor))]
        try:
            yield
            await asyncio.sleep(0.03)
        finally:
            for task in tasks:
                task.cancel()
    assert max(turns) < LONGEST_TURN_SECONDS
    assert asked
    assert set(asked) == {200}


def routes(world, method):
    """The paths of a console, by walking its router."""
    router = world.console.application().router
    return sorted({route.resource.canonical for route in router.routes() if route.method == method})


FORMS_OF_ALL = ["/preferences", "/sign-in", "/sign-out"]
PLAIN_ROLE = "federated_aggregator"
"""Its console has the forms that all consoles share and no other; the others' are attacked at theirs."""


def forms(world):
    """The paths of a console that forms are attacked at."""
    every = routes(world, "POST")
    assert set(FORMS_OF_ALL) <= set(every)
    if world.party.role == PLAIN_ROLE:
        assert every == FORMS_OF_ALL
        return every
    return [path for path in every if path not in FORMS_OF_ALL]


READS_ITS_FORM_ITSELF = "/data-sets"
"""It writes an upload to a file as it comes; one function reads all other forms, before their handlers."""


def attacks(world):
    """(name, type, body, path): every body, at each form some; with DELTAML_ALL_TABLES every one at each."""
    paths = forms(world)
    for number, (name, (kind, body)) in enumerate(BODIES.items()):
        for place, path in enumerate(paths):
            in_turn = number % len(paths) == place or path == READS_ITS_FORM_ITSELF
            if in_turn or "DELTAML_ALL_TABLES" in os.environ:
                yield name, kind, body, path


def filled(pattern, value):
    return re.sub(r"\{[^}]*\}", lambda _: value, pattern)


async def answer(browser, method, path, data=b"", **options):
    url = URL(browser.world.url + path, encoded=True)
    async with browser.http.request(
        method, url, data=io.BytesIO(data), allow_redirects=False, **options
    ) as response:
        assert response.status < 500, (method, path[:80], response.status)
        location = response.headers.get("Location", "/")
        assert location.startswith("/")
        assert not location.startswith("//")
        assert response.headers["Server"] == "DeltaML"
        if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
            await response.read()
        return response.status


@pytest.fixture(params=ROLES)
async def attacked(request, tmp_path):
    async with ConsoleWorld(tmp_path, request.param).running() as world:
        yield world


@pytest.mark.parametrize("signed_in", [False, True])
async def test_no_form_holds_a_console_up(attacked, signed_in):
    async with Browser(attacked) as browser:
        if signed_in:
            await browser.sign_in()
        async with watched(attacked):
            for name, kind, body, path in attacks(attacked):
                headers = {"Origin": attacked.url, "Content-Type": kind, **HEADERS.get(name, {})}
                status = await answer(browser, "POST", filled(path, "a"), data=body, headers=headers)
                assert status >= 400 or (not signed_in and status == 303), (name, path, status)
    assert attacked.orders == []


async def test_no_form_with_a_right_token_does_either(attacked):
    async with Browser(attacked) as browser:
        await browser.sign_in()
        async with watched(attacked):
            for name, kind, body, path in attacks(attacked):
                headers = {"Origin": attacked.url, "Content-Type": kind, "X-CSRF-Token": browser.token}
                if path != "/sign-out":
                    headers |= HEADERS.get(name, {})
                    await answer(browser, "POST", filled(path, "a"), data=body, headers=headers)


async def test_no_form_takes_memory(tmp_path):
    async with ConsoleWorld(tmp_path, PLAIN_ROLE).running() as attacked, Browser(attacked) as browser:
        await browser.sign_in()
        tracemalloc.start()
        try:
            for name, (kind, body) in BODIES.items():
                headers = {"Origin": attacked.url, "Content-Type": kind, "X-CSRF-Token": browser.token}
                await answer(
                    browser, "POST", "/preferences", data=body, headers=headers | HEADERS.get(name, {})
                )
                peak = tracemalloc.get_traced_memory()[1]
                assert peak < MOST_MEMORY, (name, peak)
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("signed_in", [False, True])
async def test_no_address_or_method_does(attacked, signed_in):
    async with Browser(attacked) as browser:
        if signed_in:
            await browser.sign_in()
        async with watched(attacked):
            for path in routes(attacked, "GET"):
                for value in PATHS if "{" in path else ("a",):
                    await answer(browser, "GET", filled(path, value))
                for query in QUERIES:
                    await answer(browser, "GET", filled(path, "a") + query)
            for path in {*routes(attacked, "GET"), *routes(attacked, "POST")}:
                for method in ("NONSENSE", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
                    status = await answer(browser, method, filled(path, "a"))
                    assert 300 < status < 500
                await answer(browser, "POST", filled(path, "a"))


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
        async with asyncio.timeout(300):  # comes at once, on a machine with time
            line = await reader.readline()
        writer.close()
        assert 200 <= int(line.split()[1]) < 500, (request, line)


YAML = {
    "duplicate keys": b"".join(b"k%d: 1\n" % number for number in range(9000)) + b"k8999: 2\n",
    "a vast binary number": b"payment: {deposit_wei: 0b" + b"1" * 100_000 + b"}",
    "a vast octal number": b"payment: {deposit_wei: 0" + b"7" * 100_000 + b"}",
    "a vast number to base 60": b"payment: {deposit_wei: 1" + b":59" * 20_000 + b"}",
    "a vast fraction to base 60": b"name: 1" + b":59" * 20_000 + b".5",
    "numbers beyond all": b"payment: {deposit_wei: 1e999990, contribution_bps: 1.0e+999}\nmodel: {l2: .nan}",
    "a number for a list": b"features: 5\nstart: [1]\nmodel: 5\npayment: [1]\nowners: x",
    "aliases": b"a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]",
    "deep": b"[" * 100_000,
    "wide": b"features: [" + b"1," * 30_000 + b"]",
    "odd kinds": b"name: 2020-01-01\nfeatures: !!set {a, b}\nstart: !!binary aGVsbG8=",
    "not a date": b"name: 2020-99-99",
    "a tag of Python's": b"!!python/object/apply:os.system [x]",
    "not text": b"\xff\xfe\xfd",
    "a surrogate": b'name: "\\ud800"',
    "too long": b"a: " + b"x" * (600 << 10),
}


async def test_no_yaml_holds_a_buyers_console_up(tmp_path):
    async with ConsoleWorld(tmp_path).running() as world, Browser(world) as browser:
        await browser.sign_in()
        async with watched(world):
            for content in YAML.values():
                sent = part("csrf", browser.token) + part("file", "@", '; filename="x.yaml"') + END
                body = sent.replace(b"@", content)
                headers = {"Origin": world.url, "Content-Type": MULTIPART}
                await answer(browser, "POST", "/trainings/new/yaml", data=body, headers=headers)
    assert world.orders == []
