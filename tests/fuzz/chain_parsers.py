"""What a node says: JSON-RPC answers, logs of the contract, revert data."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from protocol.errors import ProtocolViolation
from services.chain.contract.abi import decode_revert, event_topic, marketplace_artifact
from services.chain.contract.codec import decode_log
from services.chain.errors import ChainError
from services.chain.rpc.http import HttpRpc
from tests.fuzz.parser import NoInput, Parser


def parsers() -> Iterator[Parser]:
    """Each with valid inputs."""
    yield Parser("contract log", _log, (ProtocolViolation, ChainError, NoInput), _example_logs, "json")
    yield Parser("revert data", decode_revert, (), lambda: [bytes(68), bytes.fromhex("08c379a0") + bytes(68)])
    yield Parser("json-rpc answer", _Answers(), (ChainError,), _example_answers, "json")


def _example_logs() -> list[bytes]:
    return [_example_log(event) for event in marketplace_artifact()["abi"] if event["type"] == "event"]


def _example_log(event: dict[str, Any]) -> bytes:
    indexed = [item for item in event["inputs"] if item["indexed"]]
    log = {
        "address": "0x" + "c0" * 20,
        "topics": [event_topic(event["name"]), *("0x" + "11".rjust(64, "0") for _ in indexed)],
        "data": "0x" + "01".rjust(64, "0") * (len(event["inputs"]) - len(indexed)),
        "blockNumber": "0x5",
        "blockHash": "0x" + "bb" * 32,
        "transactionHash": "0x" + "cc" * 32,
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    }
    return json.dumps(log).encode()


def _log(content: bytes) -> None:
    try:
        log = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NoInput from error
    if not isinstance(log, dict):
        raise NoInput
    decode_log(log, 1337, 5)


def _example_answers() -> list[bytes]:
    answers: tuple[Any, ...] = (
        {"jsonrpc": "2.0", "id": 1, "result": "0x1"},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 3, "message": "reverted", "data": "0x08c379a0"}},
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches"}},
        [{"jsonrpc": "2.0", "id": 1, "result": "0x1"}, {"jsonrpc": "2.0", "id": 2, "result": None}],
    )
    return [json.dumps(answer).encode() for answer in answers]


class _Answers:
    """A node on loopback that answers each request with the input."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._content = b""
        self._port = 0

    def __call__(self, content: bytes) -> None:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._port = self._loop.run_until_complete(self._serve())
        self._content = content
        self._loop.run_until_complete(self._ask())

    async def _serve(self) -> int:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self._content)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + self._content)
        await writer.drain()
        writer.close()

    async def _ask(self) -> None:
        first: ChainError | None = None
        for batch in (False, True):
            async with HttpRpc(f"http://127.0.0.1:{self._port}") as rpc:
                try:
                    await (rpc.batch([("a", []), ("b", [])]) if batch else rpc.call("eth_call", {}))
                except ChainError as error:
                    first = first or error
        if first is not None:
            raise first
