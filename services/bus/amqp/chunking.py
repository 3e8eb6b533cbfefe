"""Large bodies in chunks, and whole again: a broker holds every message in memory, so they are kept small.

On the wire a chunk's headers are `part` and `parts`. A chunk stays unacked until its message is whole, so a
crash loses none. What a peer leaves incomplete is bounded: beyond the bounds its own oldest message is given
up, nobody else's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from protocol.errors import ProtocolViolation
from protocol.messages import MAXIMUM_BODY_BYTES

CHUNK_BYTES = 1 << 20
MAXIMUM_INCOMPLETE = 4
"""Messages that one peer may leave incomplete; an honest one sends its messages one after another."""

MAXIMUM_INCOMPLETE_BYTES = 2 * MAXIMUM_BODY_BYTES

H = TypeVar("H")


def split(body: bytes) -> list[bytes]:
    """The body in chunks of at most CHUNK_BYTES; one chunk, even an empty one, if it is short."""
    return [body[start : start + CHUNK_BYTES] for start in range(0, max(len(body), 1), CHUNK_BYTES)]


def check_chunk(number: object, total: object, body: bytes, limit: int) -> tuple[int, int]:
    """The chunk's number and the number of chunks of a body of at most `limit` bytes.

    Raises ProtocolViolation("malformed" or "oversized").
    """
    if type(number) is not int or type(total) is not int or not 0 <= number < total:
        raise ProtocolViolation("malformed", "the headers part and parts are not a number below another")
    if total < 2:
        raise ProtocolViolation("malformed", f"{total} parts; a message that is in parts has at least 2")
    maximum = -(-limit // CHUNK_BYTES)
    if total > maximum:
        raise ProtocolViolation("oversized", f"{total} parts; a message has at most {maximum}")
    if len(body) > CHUNK_BYTES:
        raise ProtocolViolation("oversized", f"a part of {len(body)} bytes; at most {CHUNK_BYTES} pass")
    return number, total


@dataclass(slots=True)
class _Incomplete(Generic[H]):
    total: int
    chunks: dict[int, tuple[bytes, H]] = field(repr=False, default_factory=dict)

    @property
    def size(self) -> int:
        return sum(len(body) for body, _ in self.chunks.values())

    @property
    def handles(self) -> tuple[H, ...]:
        return tuple(handle for _, handle in self.chunks.values())


@dataclass(frozen=True, slots=True)
class Whole(Generic[H]):
    """A joined body and the handles of its chunks, to ack together."""

    body: bytes = field(repr=False)
    handles: tuple[H, ...]


@dataclass(frozen=True, slots=True)
class Taken(Generic[H]):
    """What a chunk led to: a whole message, an earlier copy of the same chunk to ack, messages to give up."""

    whole: Whole[H] | None = None
    superseded: H | None = None
    given_up: tuple[tuple[H, ...], ...] = ()


class Assembler(Generic[H]):
    """The incomplete messages of one subscription; `H` is a chunk's handle for acking."""

    def __init__(self, maximum_bytes: int = MAXIMUM_INCOMPLETE_BYTES) -> None:
        """Nothing held; one peer's incomplete messages may have `maximum_bytes` together."""
        self._maximum_bytes = maximum_bytes
        self._incomplete: dict[tuple[str, str], _Incomplete[H]] = {}

    @property
    def held(self) -> int:
        """Chunks waiting for others."""
        return sum(len(item.chunks) for item in self._incomplete.values())

    def add(self, peer: str, message_id: str, number: int, total: int, body: bytes, handle: H) -> Taken[H]:
        """Take a checked chunk; `peer` is who answers for it, `message_id` counts within the peer's own."""
        key = (peer, message_id)
        given_up: list[tuple[H, ...]] = []
        item = self._incomplete.get(key)
        if item is not None and item.total != total:
            given_up.append(self._remove(key))
            item = None
        if item is None:
            item = self._incomplete[key] = _Incomplete(total)
        _, superseded = item.chunks.get(number, (b"", None))
        item.chunks[number] = body, handle
        if len(item.chunks) == total:
            del self._incomplete[key]
            bodies, handles = zip(*(item.chunks[place] for place in range(total)), strict=True)
            return Taken(Whole(b"".join(bodies), handles), superseded, tuple(given_up))
        given_up.extend(self._excess(peer))
        return Taken(None, superseded, tuple(given_up))

    def give_up_all(self) -> list[tuple[H, ...]]:
        """Forget everything incomplete; the handles per message."""
        return [self._remove(key) for key in list(self._incomplete)]

    def _excess(self, peer: str) -> Iterator[tuple[H, ...]]:
        own = [key for key in self._incomplete if key[0] == peer]
        size = sum(self._incomplete[key].size for key in own)
        while len(own) > MAXIMUM_INCOMPLETE or size > self._maximum_bytes:
            oldest = own.pop(0)
            size -= self._incomplete[oldest].size
            yield self._remove(oldest)

    def _remove(self, key: tuple[str, str]) -> tuple[H, ...]:
        return self._incomplete.pop(key).handles
