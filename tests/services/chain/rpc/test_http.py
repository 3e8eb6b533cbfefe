"""HttpRpc against a small server on loopback that answers whatever a test wants."""

import asyncio
import json
import time
import traceback
import tracemalloc

import pytest
from structlog.testing import capture_logs

from protocol.errors import MisuseError
from services.chain.errors import ChainUnavailable, NodeOverloaded, RpcError
from services.chain.rpc.http import HttpRpc, is_revert
from tests.support.chain.scripted_node import SECRET


@pytest.fixture
async def rpc(server):
    async with HttpRpc(server.url, seconds=5) as rpc:
        yield rpc


async def failure_of(rpc) -> ChainUnavailable:
    with pytest.raises(ChainUnavailable) as caught:
        await rpc.call("eth_chainId")
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    return caught.value


async def test_a_call_and_its_result(server, rpc) -> None:
    assert await rpc.call("eth_getBalance", "0xaa", "latest") == "0x1"
    (body,) = server.bodies
    assert (body["jsonrpc"], body["method"], body["params"]) == ("2.0", "eth_getBalance", ["0xaa", "latest"])


async def test_a_batch_is_one_request_answered_in_any_order(server, rpc) -> None:
    server.answer = lambda bodies: [
        {"jsonrpc": "2.0", "id": body["id"], "result": body["method"]} for body in reversed(bodies)
    ]
    assert await rpc.batch([("one", []), ("two", [])]) == ["one", "two"]
    assert len(server.bodies) == 1
    assert await rpc.batch([]) == []


def result_of(body):
    return {"jsonrpc": "2.0", "id": body["id"], "result": body["method"]}


def error_of(body, message="not in a batch"):
    return {"jsonrpc": "2.0", "id": body["id"], "error": {"code": -32600, "message": message}}


BATCHES = {
    "one error for all": lambda bodies: error_of({"id": None}),
    "HTTP 413": lambda bodies: (413, b"<html>too large</html>"),
    "HTTP 405": lambda bodies: (405, b""),
    "an error each": lambda bodies: [error_of(body) for body in bodies],
    "too few": lambda bodies: [result_of(body) for body in bodies[1:]],
    "too few, then an error": lambda bodies: [result_of(bodies[0]), error_of({"id": None}, "limit is 1")],
    "none": lambda bodies: [],
    "alien ids": lambda bodies: [result_of(body | {"id": body["id"] + 1000}) for body in bodies],
    "ids of other types": lambda bodies: [result_of(body | {"id": [body["id"]]}) for body in bodies],
    "a number as True": lambda bodies: [result_of(body | {"id": True}) for body in bodies],
    "no objects": lambda bodies: [None, 7, "x", []],
    "neither result nor error": lambda bodies: [{"id": body["id"], "error": None} for body in bodies],
}


@pytest.mark.parametrize("answer", BATCHES.values(), ids=BATCHES)
async def test_what_a_batch_leaves_open_is_asked_one_by_one(server, rpc, answer) -> None:
    server.answer = lambda body: answer(body) if isinstance(body, list) else result_of(body)
    for _ in range(2):
        assert await rpc.batch([("one", []), ("two", []), ("three", [])]) == ["one", "two", "three"]


async def test_a_node_that_refuses_a_batch_is_not_sent_one_each_time(server, rpc, caplog) -> None:
    server.answer = lambda body: error_of({"id": None}) if isinstance(body, list) else result_of(body)
    for _ in range(3):
        await rpc.batch([("one", []), ("two", [])])
    assert [type(body) for body in server.bodies] == [list] + 6 * [dict]


async def test_a_refusal_that_is_no_batchs_is_raised(server, rpc) -> None:
    server.answer = lambda body: (
        [error_of(one, "no such block") for one in body] if isinstance(body, list) else error_of(body, "gone")
    )
    with pytest.raises(RpcError, match="gone"):
        await rpc.batch([("one", []), ("two", [])])


async def test_an_answer_to_another_request_is_none(server, rpc) -> None:
    server.answer = lambda body: result_of(body | {"id": 99})
    with pytest.raises(ChainUnavailable, match="is to request 99, not to 1"):
        await rpc.call("eth_chainId")


@pytest.mark.parametrize("status", [408, 413, 500, 502, 503, 504])
async def test_a_node_that_does_not_manage_a_request(server, rpc, status) -> None:
    server.answer = lambda body: (status, b"<html>bad gateway</html>")
    if status == 408:
        assert not isinstance(await failure_of(rpc), NodeOverloaded)
    else:
        assert isinstance(failure := await failure_of(rpc), NodeOverloaded)
        assert f"HTTP {status}" in str(failure)


async def test_an_error_in_json_rpc_counts_under_any_status(server, rpc) -> None:
    server.answer = lambda body: (400, json.dumps(error_of(body, "no such method")).encode())
    with pytest.raises(RpcError, match="no such method"):
        await rpc.call("eth_chainId")


async def test_a_node_that_has_had_too_many_requests_is_left_alone(server, rpc) -> None:
    server.answer = lambda body: (429, b"", {"Retry-After": "120"})
    for _ in range(3):
        assert "another 120 s (HTTP 429" in str(await failure_of(rpc))
    assert len(server.bodies) == 1


@pytest.mark.parametrize(("header", "seconds"), [("Wed, 21 Oct", "5 s"), ("9" * 30, "300 s"), ("-1", "5 s")])
async def test_a_rest_has_a_bound(server, rpc, header, seconds) -> None:
    server.answer = lambda body: (429, b"", {"Retry-After": header})
    assert seconds in str(await failure_of(rpc))


async def test_a_redirection_is_not_followed(server, rpc) -> None:
    server.answer = lambda body: (307, b"", {"Location": server.url})
    assert "HTTP 307" in str(await failure_of(rpc))
    assert len(server.bodies) == 1


async def test_an_answer_that_never_comes_after_its_headers() -> None:
    async def hang(_reader, writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await hung.wait()
        writer.close()

    hung = asyncio.Event()
    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, HttpRpc(f"http://127.0.0.1:{port}", seconds=0.05) as rpc:
        assert isinstance(await failure_of(rpc), NodeOverloaded)
        hung.set()


async def test_an_answer_of_very_many_small_values_is_not_decoded(server, rpc) -> None:
    """Three bytes each on the wire, seventy in memory."""
    server.answer = lambda body: b"[" + b"{}," * 2_000_000 + b"{}]"
    tracemalloc.start()
    assert "more than 1048576 values" in str(await failure_of(rpc))
    assert tracemalloc.get_traced_memory()[1] < 60 << 20
    tracemalloc.stop()


async def test_a_number_of_a_million_digits_is_not_json(server, rpc) -> None:
    server.answer = lambda body: b'{"jsonrpc":"2.0","id":1,"result":' + b"9" * 1_000_000 + b"}"
    before = time.process_time()
    assert "not JSON" in str(await failure_of(rpc))
    assert time.process_time() - before < 2


async def test_the_words_of_a_node_are_short_and_printable(server, rpc) -> None:
    server.answer = lambda body: error_of(body, "\x1b[2J\n" + "x" * 100_000)
    with pytest.raises(RpcError) as caught:
        await rpc.call("eth_chainId")
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("error", "code", "data", "revert"),
    [
        ({"code": -32000, "message": "header not found"}, -32000, b"", False),
        ({"code": 3, "message": "execution reverted", "data": "0x0102"}, 3, b"\1\2", True),
        ({"code": -32603, "message": "x", "data": {"data": "0x0102"}}, -32603, b"\1\2", True),
        ({"code": -32603, "message": "x", "data": "0xzz"}, -32603, b"", False),
        ({"code": None}, 0, b"", False),
        ("out of order", 0, b"", False),
    ],
)
async def test_refusals(server, rpc, error, code, data, revert) -> None:
    server.answer = lambda body: {"jsonrpc": "2.0", "id": body["id"], "error": error}
    with pytest.raises(RpcError) as caught:
        await rpc.call("eth_call")
    assert (caught.value.code, caught.value.data, is_revert(caught.value)) == (code, data, revert)


@pytest.mark.parametrize(
    "content", [b"", b"<html>502</html>", b"\xff\xfe", b"[" * 100_000], ids=["empty", "html", "bytes", "deep"]
)
async def test_an_answer_that_is_not_json(server, rpc, content) -> None:
    server.answer = lambda body: content
    assert "not JSON" in str(await failure_of(rpc))


@pytest.mark.parametrize("content", [b"[]", b"17", b'{"jsonrpc": "2.0"}', b"null"])
async def test_an_answer_that_is_not_json_rpc(server, rpc, content) -> None:
    server.answer = lambda body: content
    assert "not JSON-RPC" in str(await failure_of(rpc))


async def test_an_answer_without_end_is_cut(server) -> None:
    server.answer = lambda body: b'"' + b"a" * 100_000 + b'"'
    async with HttpRpc(server.url, seconds=5, most_bytes=100_000) as rpc:
        assert "larger than 100000 bytes" in str(await failure_of(rpc))


async def test_a_node_that_is_not_there() -> None:
    async with HttpRpc(f"http://user:{SECRET}@127.0.0.1:1/{SECRET}") as rpc:
        assert "no answer from the node at http://127.0.0.1:1 " in str(await failure_of(rpc))


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8545", "ftp://host/x", f"http://host:{SECRET}", "http://[::1"]
)
def test_a_url_that_cannot_be_used(url) -> None:
    with pytest.raises(MisuseError, match="cannot be used") as caught:
        HttpRpc(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_a_node_that_is_away_is_told_once_and_whoever_asked_it_need_not_tell_it_again() -> None:
    with capture_logs() as logs:
        async with HttpRpc(f"http://127.0.0.1:9/{SECRET}") as rpc:
            failures = [await failure_of(rpc) for _ in range(20)]
            assert rpc.outage.is_on
    (line,) = logs
    assert line["event"] == "node_away"
    assert line["reason"] == str(failures[0])
    assert all(failure.told for failure in failures)


async def test_a_node_that_answers_now_and_then_is_away_only_until_it_answers(server, rpc) -> None:
    """Its outage goes on: no deadline would run while one of several nodes behind a URL fails."""
    answers = server.answer
    for _ in range(3):
        server.answer = lambda _body: (200, b"broken", {"Content-Encoding": "gzip"})
        await failure_of(rpc)
        assert rpc.is_away
        server.answer = answers
        await rpc.call("eth_chainId")
        assert rpc.outage.is_on
        assert not rpc.is_away


@pytest.mark.parametrize(("status", "is_away"), [(429, True), (502, True), (403, False)])
async def test_a_node_that_only_says_that_it_cannot_is_away(server, rpc, status, is_away) -> None:
    server.answer = lambda _body: (status, b"<html>not now</html>", {"Retry-After": "0"})
    await failure_of(rpc)
    assert rpc.is_away == is_away
    server.answer = result_of
    await rpc.call("eth_chainId")
    assert not rpc.is_away
