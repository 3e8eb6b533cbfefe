"""JSON-RPC to a node: one small port, and its HTTP implementation.

Values are passed as JSON-RPC defines them (quantities and data as 0x strings); the embedded chain speaks the
same.
"""

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import urlsplit

from pydantic_core import from_json

from protocol.errors import MisuseError
from services.chain.errors import ChainUnavailable, RpcError
from services.chain.rpc.values import octets

if TYPE_CHECKING:
    import aiohttp

    from services.chain.rpc.new_heads import NewHeads

Request = tuple[str, list[Any]]
"""A method and its parameters."""

MOST_RESPONSE_BYTES = 64 << 20
_REVERT_CODE = 3


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
        heads: "NewHeads | None" = None,
    ) -> None:
        """`seconds` and `most_bytes` bound each answer; `heads` tells of new blocks, as plain HTTP cannot.

        Raises MisuseError for a URL that is not one of http or https.
        """
        self._url = url
        self._shown = _without_secrets(url)
        self._seconds, self._most_bytes = seconds, most_bytes
        self._heads = heads
        self._numbers = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def call(self, method: str, *parameters: Any) -> Any:
        """One request; see the port."""
        return _result(method, await self._post(self._body(method, list(parameters))))

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Several requests in one trip; see the port."""
        if not requests:
            return []
        bodies = [self._body(method, parameters) for method, parameters in requests]
        answers = await self._post(bodies)
        if not isinstance(answers, list):  # a node that refuses batches answers with one error
            return [await self.call(method, *parameters) for method, parameters in requests]
        by_number = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        return [
            _result(method, by_number.get(body["id"]))
            for (method, _), body in zip(requests, bodies, strict=True)
        ]

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

    async def _post(self, body: Any) -> Any:
        import aiohttp  # noqa: PLC0415  half a second, and the embedded chain needs none

        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._seconds))
        try:
            async with self._session.post(self._url, json=body) as response:
                content = await self._read_bounded(response.content)
                return from_json(content)  # its depth is bounded: the json module may overflow the stack
        except (aiohttp.ClientError, OSError) as error:
            raise ChainUnavailable(
                f"no answer from the node at {self._shown} ({type(error).__name__}): "
                "check that it runs and that the URL is right"
            ) from None  # the cause's text may hold the whole URL
        except ValueError:
            raise ChainUnavailable(f"the node at {self._shown} answered something that is not JSON") from None

    async def _read_bounded(self, stream: "aiohttp.StreamReader") -> bytes:
        content = bytearray()
        async for part in stream.iter_chunked(1 << 16):
            content += part
            if len(content) > self._most_bytes:
                raise ChainUnavailable(
                    f"the answer of the node at {self._shown} is larger than {self._most_bytes} bytes: check "
                    "that the URL is a node's"
                )
        return bytes(content)


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


def _result(method: str, answer: Any) -> Any:
    if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
        raise ChainUnavailable(f"the node's answer to {method} is not JSON-RPC")
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        raise RpcError(method, 0, str(error))
    code, message = error.get("code"), str(error.get("message", ""))
    raise RpcError(method, code if isinstance(code, int) else 0, message, _revert_data(error.get("data")))


def _revert_data(data: Any) -> bytes:
    """Revert data as bytes; nodes put it at `data`, or one level deeper."""
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        with suppress(ValueError):
            return octets(data)
    return b""


def is_revert(error: RpcError) -> bool:
    """Whether the contract's code refused, rather than the node."""
    return bool(error.data) or error.code == _REVERT_CODE or "revert" in error.message.lower()
