"""JSON-RPC to a node: one small port, and its HTTP implementation.

Values are passed as JSON-RPC defines them (quantities and data as 0x strings); the embedded chain speaks the
same. web3.py's own HTTP provider is not used: it reads an answer of any size, shows the node's URL, often a
provider's access key, in its errors, and has contracts send us to URLs of their choice (EIP-3668).
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import urlsplit

import structlog
from pydantic_core import from_json

from protocol.errors import MisuseError
from services.chain.errors import ChainUnavailable, NodeOverloaded, RpcError
from services.chain.rpc.values import octets, shown
from services.common.outages import Outage

if TYPE_CHECKING:
    import aiohttp

    from services.chain.rpc.new_heads import NewHeads

_log = structlog.get_logger(__name__)

Request = tuple[str, list[Any]]
"""A method and its parameters."""

MOST_RESPONSE_BYTES = 16 << 20
"""A page of logs that is larger is read in smaller ones."""

_MOST_VALUES = 1 << 20
"""In one answer: three bytes of JSON make an object of seventy in memory."""

_REVERT_CODE = 3
_MOST_MESSAGE = 300
_OK, _TOO_LARGE, _TOO_MANY, _BROKEN = 200, 413, 429, 500
SINGLY_SECONDS = 600.0
"""So long a node that refused a batch is not sent another."""

CALM_SECONDS = 5.0
"""After its last failure a node is not called back before: one of several behind a URL may be away."""

_REST_SECONDS, _LONGEST_REST_SECONDS = 5.0, 300.0
_BATCH_REFUSED = "the node refuses batches and is asked one by one, which takes longer: have it allow them"


class _RequestRefused(ChainUnavailable):
    """The server does not take this request over HTTP."""


class _RequestTooLarge(NodeOverloaded):
    """The server takes no request of this size."""


class Rpc(Protocol):
    """A node. Raises RpcError when it refuses, ChainUnavailable when nothing is known about the outcome."""

    async def call(self, method: str, *parameters: Any) -> Any:
        """One request; returns the decoded result."""

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Several requests in one trip, results in the same order; the first refusal is raised."""

    async def close(self) -> None:
        """Release the connection."""

    def on_block(self, wake: Callable[[], None]) -> None:
        """Call `wake` in the event loop after each new block, if the node can tell; otherwise do nothing."""


class HttpRpc:
    """A node behind an HTTP URL. One connection pool, bounded time and size per request."""

    def __init__(
        self,
        url: str,
        *,
        seconds: float = 20.0,
        most_bytes: int = MOST_RESPONSE_BYTES,
        singly_seconds: float = SINGLY_SECONDS,
        heads: "NewHeads | None" = None,
    ) -> None:
        """`seconds` and `most_bytes` bound each answer; `heads` tells of new blocks, as plain HTTP cannot.

        A node that refused a batch is sent no other for `singly_seconds`.

        Raises MisuseError for a URL that is not one of http or https.
        """
        self._url = url
        self._shown = _without_secrets(url)
        self._seconds, self._most_bytes = seconds, most_bytes
        self._singly_seconds, self._heads = singly_seconds, heads
        self._numbers = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None
        self._singly_until = self._rests_until = 0.0
        self.outage = Outage(_log, "node_away", "node_back", calm_seconds=CALM_SECONDS)
        self.is_away = False
        """Whether it gave no answer when it was last asked, or HTTP 429, 500 or more.

        The outage lasts longer: until the node has been calm for a while.
        """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def call(self, method: str, *parameters: Any) -> Any:
        """One request; see the port."""
        return await self._alone(self._body(method, list(parameters)))

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Several requests in one trip; see the port. What the batch leaves open is asked one by one."""
        bodies = [self._body(method, parameters) for method, parameters in requests]
        results = await self._batched(bodies)
        return [results[body["id"]] if body["id"] in results else await self._alone(body) for body in bodies]

    async def close(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def on_block(self, wake: Callable[[], None]) -> None:
        """See the port. Whoever waits for a block polls all the same."""
        if self._heads is not None:
            self._heads.on_block(wake)

    def _body(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}

    async def _alone(self, body: dict[str, Any]) -> Any:
        return _result(body, await self._post(body))

    async def _batched(self, bodies: Sequence[dict[str, Any]]) -> dict[int, Any]:
        """The results of a batch by number: none of a node that refuses it, some of one that cuts it."""
        if len(bodies) < 2 or _now() < self._singly_until:
            return {}
        try:
            answers = await self._post(bodies)
        except (_RequestRefused, _RequestTooLarge):
            answers = None
        if results := _results(answers):
            return results
        _log.warning("batch_refused", remedy=_BATCH_REFUSED)
        self._singly_until = _now() + self._singly_seconds
        return {}

    async def _post(self, body: Any) -> Any:
        """The decoded answer. Raises NodeOverloaded where less might be answered, else ChainUnavailable."""
        import aiohttp  # noqa: PLC0415  half a second, and the embedded chain needs none

        if _now() < self._rests_until:
            raise self._resting()
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._seconds))
        try:
            # A redirection would send what is signed to whom nobody named.
            async with self._session.post(self._url, json=body, allow_redirects=False) as response:
                if response.status == _TOO_MANY:
                    self.is_away = True
                    self._rests_until = _now() + _rest_of(response.headers.get("Retry-After", ""))
                    raise self._resting()
                answer = self._decoded(await self._read_bounded(response.content), response.status)
        except aiohttp.ClientConnectorError as error:
            # The cause's text may hold the whole URL.
            raise self._unanswered(ChainUnavailable(self._silence(error))) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._unanswered(NodeOverloaded(self._silence(error))) from None
        self.is_away = False
        self.outage.works()
        return answer

    def _unanswered(self, error: ChainUnavailable) -> ChainUnavailable:
        self.is_away = True
        return self.outage.failed(error)

    def _decoded(self, content: bytes, status: int) -> Any:
        if sum(map(content.count, (b",", b"[", b"{"))) > _MOST_VALUES:
            raise NodeOverloaded(
                f"the answer of the node at {self._shown} has more than {_MOST_VALUES} values"
            )
        try:
            answer = from_json(content)  # its depth is bounded: the json module may overflow the stack
        except ValueError:
            answer = None
            if status == _OK:
                raise ChainUnavailable(
                    f"the node at {self._shown} answered something that is not JSON"
                ) from None
        # Some nodes refuse in JSON-RPC under a status of HTTP.
        if status == _OK or isinstance(answer, list) or (isinstance(answer, dict) and "error" in answer):
            return answer
        raise self._refusal(status)

    def _refusal(self, status: int) -> ChainUnavailable:
        told = f"the node at {self._shown} answered HTTP {status}"
        if status == _TOO_LARGE:
            return _RequestTooLarge(f"{told}: it takes no request of this size")
        if status >= _BROKEN:
            self.is_away = True
            return NodeOverloaded(f"{told}: look at its log, or use a node with more capacity")
        return _RequestRefused(f"{told}: check the URL and its access key")

    def _resting(self) -> ChainUnavailable:
        return ChainUnavailable(
            f"the node at {self._shown} answers nothing for another {self._rests_until - _now():.0f} s "
            "(HTTP 429, too many requests): raise chain.poll_seconds, or use a node with a larger allowance"
        )

    def _silence(self, error: Exception) -> str:
        return (
            f"no answer from the node at {self._shown} ({type(error).__name__}): "
            "check that it runs and that the URL is right"
        )

    async def _read_bounded(self, stream: "aiohttp.StreamReader") -> bytes:
        content = bytearray()
        async for part in stream.iter_chunked(1 << 16):
            content += part
            if len(content) > self._most_bytes:
                raise NodeOverloaded(
                    f"the answer of the node at {self._shown} is larger than {self._most_bytes} bytes: check "
                    "that the URL is a node's"
                )
        return bytes(content)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _rest_of(header: str) -> float:
    """Seconds of a Retry-After; a date in it is not read."""
    seconds = float(header) if header.isascii() and header.isdigit() else _REST_SECONDS
    return min(seconds, _LONGEST_REST_SECONDS)


def _without_secrets(url: str) -> str:
    """Scheme, host and port: the rest of a provider's URL is often its access key."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None  # the text of this error holds a piece of the URL
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise MisuseError("the node's URL cannot be used: give one like http://127.0.0.1:8545")
    return f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port else "")


def _results(answers: Any) -> dict[int, Any]:
    """By number; True is no number, though Python takes it for one."""
    return {
        answer["id"]: answer["result"]
        for answer in (answers if isinstance(answers, list) else ())
        if _is_result(answer) and type(answer.get("id")) is int
    }


def _is_result(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.get("error") is None and "result" in answer


def _result(body: dict[str, Any], answer: Any) -> Any:
    method = body["method"]
    error = answer.get("error") if isinstance(answer, dict) else None
    if error is None and not _is_result(answer):
        raise ChainUnavailable(f"the node's answer to {method} is not JSON-RPC")
    if error is None and (type(answer.get("id")) is not int or answer["id"] != body["id"]):
        raise ChainUnavailable(
            f"the node's answer to {method} is to request {shown(answer.get('id'))}, not to {body['id']}: "
            "check what stands between here and the node"
        )
    if error is None:
        return answer["result"]
    if not isinstance(error, dict):
        raise RpcError(method, 0, _told(error))
    code = error.get("code")
    raise RpcError(
        method,
        code if isinstance(code, int) else 0,
        _told(error.get("message", "")),
        _revert_data(error.get("data")),
    )


def _told(message: Any) -> str:
    """A node's words, as much as a log should hold."""
    return ascii(str(message)[:_MOST_MESSAGE])[1:-1]


def _revert_data(data: Any) -> bytes:
    """Revert data as bytes; nodes put it at `data`, or one level deeper."""
    if isinstance(data, dict):
        data = data.get("data")
    with suppress(ChainUnavailable):
        return octets(data)
    return b""


def is_revert(error: RpcError) -> bool:
    """Whether the contract's code refused, rather than the node."""
    return bool(error.data) or error.code == _REVERT_CODE or "revert" in error.message.lower()
