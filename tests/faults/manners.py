"""What users of real nodes report of them, as manners of the node proxy: what is refused, garbage, slow."""

import asyncio
import json
from random import Random
from typing import Any

from aiohttp import web

from tests.faults.node_proxy import Call, Manner, calls_of, drip, encoded, refusal
from tests.support.chain.wrong_values import WRONG_VALUES

BATCH_REFUSALS = ("one error", "413", "too few", "one error each")
PAGE_FAILURES = ("503", "timeout", "range refused")
GARBAGE = (
    "not JSON",
    "truncated",
    "HTML",
    "empty",
    "huge",
    "deep",
    "many values",
    "wrong id",
    "wrong type",
    "not JSON-RPC",
)
SLOWNESS = ("after seconds", "in drops", "never")

_NEVER_SECONDS = 60.0
_MOST_HUGE = 4
"""In a training: each costs its reader, and the proxy beside it, some 17 MB."""

_LARGER_THAN_ANY = 17 << 20
_RANGE_REFUSALS = (
    (-32005, "query returned more than 10000 results"),
    (-32602, "block range is too wide"),
    (-32000, "exceed maximum block range"),
    (-32603, "query timeout exceeded"),
)


class RefusedBatches(Manner):
    """No batch is answered as a whole, in one of four ways."""

    def __init__(self, way: str, chance: Random) -> None:
        super().__init__()
        self._way, self._chance = way, chance

    async def respond(self, request: web.Request, body: Any) -> web.StreamResponse:
        if not isinstance(body, list):
            return await super().respond(request, body)
        self.count(self._way)
        match self._way:
            case "one error":
                return web.json_response(refusal(None, -32600, "batch requests are not supported"))
            case "413":
                return web.Response(status=413, text="Request Entity Too Large")
            case "too few":
                return web.json_response(await self.answered(body[: self._chance.randrange(len(body))]))
            case _:
                return web.json_response([refusal(call, -32005, "rate limited") for call in body])


class FailingPages(Manner):
    """Logs of a range of more than so many blocks are never had; those of one block not always."""

    def __init__(self, way: str, most_blocks: int, chance: Random) -> None:
        super().__init__()
        self._way, self._most, self._chance = way, most_blocks, chance

    async def respond(self, request: web.Request, body: Any) -> web.StreamResponse:
        failing = [call for call in calls_of(body) if call["method"] == "eth_getLogs" and self._fails(call)]
        if not failing:
            return await super().respond(request, body)
        self.count(self._way)
        if self._way == "503":
            return web.Response(status=503, text="Service Unavailable")
        if self._way == "timeout":
            await asyncio.sleep(_NEVER_SECONDS)
        told = refusal(None, *self._chance.choice(_RANGE_REFUSALS))
        answers = [
            told | {"id": call["id"]} if call in failing else await self.one(call) for call in calls_of(body)
        ]
        return web.json_response(answers if isinstance(body, list) else answers[0])

    def _fails(self, call: Call) -> bool:
        (query,) = call["params"]
        if "blockHash" in query:
            return self._way == "503" and self._chance.random() < 0.1
        return int(query["toBlock"], 16) - int(query["fromBlock"], 16) >= self._most


class Garbage(Manner):
    """Some answers are none, or another's, or of a form that no answer has."""

    def __init__(self, share: float, chance: Random) -> None:
        super().__init__()
        self._share, self._chance, self._huge = share, chance, 0

    async def respond(self, request: web.Request, body: Any) -> web.StreamResponse:
        if self._chance.random() >= self._share:
            return await super().respond(request, body)
        way = self._chance.choice(GARBAGE)
        self._huge += way == "huge"
        if way == "huge" and self._huge > _MOST_HUGE:
            way = "HTML"
        self.count(way)
        kind = "text/html" if way == "HTML" else "application/json"
        return web.Response(body=self._spoilt(way, await self.answered(body)), content_type=kind)

    def _spoilt(self, way: str, answer: Any) -> bytes:
        whole = encoded(answer)
        match way:
            case "not JSON":
                return b"upstream connect error or disconnect/reset before headers"
            case "truncated":
                return whole[: self._chance.randrange(len(whole))]
            case "HTML":
                return b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
            case "empty":
                return b""
            case "huge":
                return b'{"jsonrpc":"2.0","id":1,"result":"0x' + b"0" * _LARGER_THAN_ANY + b'"}'
            case "deep":
                return b"[" * 100_000 + b"]" * 100_000
            case "many values":
                return b"[" + b"[]," * (1 << 20) + b"[]]"
            case _:
                return encoded(self._changed(way, answer))

    def _changed(self, way: str, answer: Any) -> Any:
        if way == "wrong id":
            return (
                [one | {"id": one["id"] + 1000} for one in answer]
                if isinstance(answer, list)
                else (answer | {"id": answer["id"] + 1000})
            )
        if way == "not JSON-RPC":
            return self._chance.choice([None, 7, "ok", [], {}, {"status": "ok"}, [None, []], [[]]])
        changed = json.loads(json.dumps(answer))
        one = self._chance.choice(calls_of(changed))
        if "result" in one:
            one["result"] = self._of_wrong_type(one["result"])
        return changed

    def _of_wrong_type(self, value: Any) -> Any:
        """The value with something in it replaced by what JSON-RPC has in no such place."""
        if value and isinstance(value, dict | list) and self._chance.random() < 0.8:
            at: Any = self._chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
            value[at] = self._of_wrong_type(value[at])
            return value
        return self._chance.choice(WRONG_VALUES)


class Slowness(Manner):
    """Every answer takes seconds, in one of three ways; or it does not come at all, sometimes."""

    def __init__(self, way: str, seconds: float, chance: Random) -> None:
        super().__init__()
        self._way, self._seconds, self._chance = way, seconds, chance
        self.healed = False

    async def respond(self, request: web.Request, body: Any) -> web.StreamResponse:
        if self.healed:
            return await super().respond(request, body)
        content = encoded(await self.answered(body))
        seconds = self._seconds * self._chance.uniform(0.5, 1.5)
        if self._way == "never":
            seconds = _NEVER_SECONDS if self._chance.random() < 0.2 else 0.0
        self.count(self._way if seconds else "at once")
        if self._way != "in drops":
            await asyncio.sleep(seconds)
            return web.Response(body=content)
        response = web.StreamResponse()
        await response.prepare(request)
        await drip(response, content, seconds)
        await response.write_eof()
        return response
