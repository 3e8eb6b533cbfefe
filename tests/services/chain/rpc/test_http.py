"""HttpRpc against a small server on loopback that answers whatever a test wants."""

import traceback

import pytest

from protocol.errors import MisuseError
from services.chain.errors import ChainUnavailable, RpcError
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


async def test_a_node_without_batches_is_asked_one_by_one(server, rpc) -> None:
    def answer(body):
        if isinstance(body, list):
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches"}}
        return {"jsonrpc": "2.0", "id": body["id"], "result": body["method"]}

    server.answer = answer
    assert await rpc.batch([("one", []), ("two", [])]) == ["one", "two"]


async def test_a_missing_answer_in_a_batch_is_no_answer(server, rpc) -> None:
    server.answer = lambda bodies: [{"jsonrpc": "2.0", "id": bodies[0]["id"], "result": 1}]
    with pytest.raises(ChainUnavailable, match="answer to two is not JSON-RPC"):
        await rpc.batch([("one", []), ("two", [])])


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
