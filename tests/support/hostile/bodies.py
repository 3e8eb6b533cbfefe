"""Bodies that nobody honest sends, of any type of message, and bytes that are none."""

from collections.abc import Callable
from typing import Any

import msgpack

from protocol.codec import pack
from protocol.messages import MESSAGE_TYPES


def example(kind: str) -> Any:
    """The type's own example: a body that is well formed."""
    return MESSAGE_TYPES[kind].catalogue.example()


def changed(kind: str, **fields: Any) -> bytes:
    """The example with other or further fields, of whatever types."""
    return msgpack.packb({**example(kind).model_dump(), **fields})


def nils(kind: str, count: int = 1 << 20) -> bytes:
    """As many nils as bytes: memory and an error for each, for who decodes without a limit."""
    del kind
    return b"\xdd" + count.to_bytes(4, "big") + b"\xc0" * count


def wide(kind: str, keys: int = 10_000) -> bytes:
    """The example with thousands of fields that nobody knows."""
    return changed(kind, **{f"field_{number}": None for number in range(keys)})


def deep(kind: str, levels: int = 5_000) -> bytes:
    """Arrays within arrays."""
    del kind
    return b"\x91" * levels + b"\xc0"


def claimed(kind: str, levels: int = 500) -> bytes:
    """Arrays within arrays, each of which says that it has as many elements as there are bytes."""
    del kind
    return b"\xdd\x00\x01\x00\x00" * levels + b"\xc0" * (1 << 16)


def wrong_typed(kind: str) -> bytes:
    """Every field but the type is a number where it should be something else, or a text."""
    fields = dict.fromkeys(example(kind).model_dump(), -1.5)
    return msgpack.packb({**fields, "type": kind, "another": {"a": [None]}})


def truncated(kind: str) -> bytes:
    """The example without its last byte."""
    return pack(example(kind))[:-1]


def prolonged(kind: str) -> bytes:
    """The example and a byte more."""
    return pack(example(kind)) + b"\xc0"


HOSTILE_BODIES: dict[str, Callable[[str], bytes]] = {
    "truncated": truncated,
    "prolonged": prolonged,
    "nils": nils,
    "deep": deep,
    "wide": wide,
    "claimed": claimed,
    "wrong_typed": wrong_typed,
    "empty": lambda _kind: b"",
}
"""By name; each is refused as "malformed"."""
