"""A node that does not show all of its chain: it lags, was restored, or has blocks before their logs."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from eth_hash.auto import keccak

from tests.faults.node_proxy import Answer, Call, Manner, refusal

LAGS = ("stuck", "behind", "two nodes", "blocks before logs")

_STATE_AT = {
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_getTransactionCount": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
}
"""Where the block of the state that is asked for stands among the parameters."""


class PartialView(Manner):
    """The chain up to `last(head)`; what lies beyond is unknown to this node. Transactions reach all."""

    def __init__(self, last: Callable[[int], int]) -> None:
        super().__init__()
        self.last = last

    async def answered(self, body: Any) -> Any:
        head = await self.node.head()
        last = max(0, min(head, self.last(head)))
        if last == head:
            return await super().answered(body)
        self.count("old view")
        if isinstance(body, list):
            return [await self._seen(call, last) for call in body]
        return await self._seen(body, last)

    async def _seen(self, call: Call, last: int) -> Answer:
        method, parameters = call["method"], call["params"]
        if method == "eth_blockNumber":
            return _with(call, hex(last))
        if method == "eth_getBlockByNumber":
            parameters = [_no_later(parameters[0], last), parameters[1]]
            return await self.one(call | {"params": parameters}) if parameters[0] else _with(call, None)
        if method in _STATE_AT:
            return await self._state(call, last)
        if method == "eth_getLogs":
            return await self._logs(call, last)
        return await self._hidden(call, last)

    async def _state(self, call: Call, last: int) -> Answer:
        parameters = list(call["params"])
        at = _STATE_AT[call["method"]]
        block = _no_later(parameters[at], last)
        if block is None:
            return refusal(call, -32000, "header not found")
        return await self.one(call | {"params": [*parameters[:at], block]})

    async def _logs(self, call: Call, last: int) -> Answer:
        (query,) = call["params"]
        if "blockHash" in query:
            block = await self.node.result("eth_getBlockByHash", query["blockHash"], False)
            if block is None or int(block["number"], 16) > last:
                return refusal(call, -32000, "unknown block")
            return await self.one(call)
        if int(query["fromBlock"], 16) > last:
            return _with(call, [])
        to_block = min(last, int(query["toBlock"], 16))
        return await self.one(call | {"params": [query | {"toBlock": hex(to_block)}]})

    async def _hidden(self, call: Call, last: int) -> Answer:
        answer = await self.one(call)
        found = answer.get("result")
        match call["method"]:
            case "eth_getBlockByHash" | "eth_getTransactionReceipt" if _beyond(found, last):
                return _with(call, None)
            case "eth_getBlockReceipts" if found and _beyond(found[0], last):
                return _with(call, None)
            case "eth_getTransactionByHash" if _beyond(found, last):
                unknown = {"blockNumber": None, "blockHash": None, "transactionIndex": None}
                return _with(call, found | unknown)
            case "eth_sendRawTransaction" if "nonce too low" in str(answer.get("error")):
                self.count("taken into an old pool")
                return _with(call, "0x" + keccak(bytes.fromhex(call["params"][0][2:])).hex())
        return answer


class LogsLater(Manner):
    """Blocks are there some time before their logs and receipts."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self._blocks = blocks

    async def one(self, call: Call) -> Answer:
        if call["method"] not in ("eth_getLogs", "eth_getBlockReceipts"):
            return await super().one(call)
        answer = await super().one(call)
        found = answer.get("result")
        last = await self.node.head() - self._blocks
        if not found or not (later := [one for one in found if _beyond(one, last)]):
            return answer
        self.count("logs held back")
        if call["method"] == "eth_getBlockReceipts":
            return _with(call, None)
        return _with(call, [one for one in found if one not in later])


def stuck_at(block: int) -> Callable[[int], int]:
    """A node that has stopped at a block."""
    return lambda _head: block


def behind(blocks: int) -> Callable[[int], int]:
    """A node that is always so many blocks late."""
    return lambda head: head - blocks


def one_of_two(blocks: int, chance: Random) -> Callable[[int], int]:
    """Two nodes at one address, one of them late."""
    return lambda head: head - blocks * chance.randint(0, 1)


def restored(block: int, blocks_per_second: float) -> Callable[[int], int]:
    """A node that begins at an old block and imports what follows it once more."""
    loop = asyncio.get_running_loop()
    began: list[float] = []

    def last(_head: int) -> int:
        began.append(loop.time())  # it is started when it is first asked, and not long before
        return block + int(blocks_per_second * (began[-1] - began[0]))

    return last


def everything(head: int) -> int:
    """A node that has caught up."""
    return head


def _with(call: Call, result: Any) -> Answer:
    return {"jsonrpc": "2.0", "id": call["id"], "result": result}


def _no_later(block: str, last: int) -> str | None:
    """The block that is asked for where there is one of that number, else None."""
    if block in ("latest", "pending"):
        return hex(last)
    return block if int(block, 16) <= last else None


def _beyond(found: Any, last: int) -> bool:
    """Whether a block, transaction, receipt or log lies beyond the last block."""
    number = (found or {}).get("number", (found or {}).get("blockNumber"))
    return number is not None and int(number, 16) > last
