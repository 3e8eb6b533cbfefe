"""Inputs that nearly make sense: valid ones whose values, structure or bytes were changed."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import msgpack

LONGEST = 1 << 17
"""Bytes of an input; longer ones only repeat what shorter ones tell."""

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 255, 256, 1 << 31, 1 << 53, (1 << 63) - 1, -(1 << 63), (1 << 64) - 1),
    *(0.5, -0.0, 1e308, float("inf"), float("nan"), "", "0x", "0x" + "00" * 20, "0x" + "Ab" * 20, "1e400"),
    *("-0", "010", "1:30", "NO", "1_0", "٣", "\ud7ff", "\x00", "\u202e", "a" * 5000, "9" * 5000, "../.."),
    *("0x" + "ff" * 32, "0x" + "0" * 4999, "2.0", "1.99999", [], {}, [[]], [None] * 3000, {"": ""}),
)
ODD_BYTES: tuple[bytes, ...] = (
    *(
        b"",
        b"\x00",
        b"\xff",
        b"\xc1",
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
    ),
    *(b"\x91" * 3000, b"[" * 3000, b'{"":' * 3000, b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n", b"\r", b'"', b'""'),
    *(b"\t", b",", b";", b"&a *a", b"!!python/none x", b"? ", b"<<: ", b"- - - ", b"nan", b"-inf", b"1e309"),
    *(b"\x00" * 32, b"\xff" * 32, b"PAR1", b"\xf0\x9f\x92\xa9", b"\xed\xa0\x80", b"xn--", b"%00", b"=" * 100),
)


def mutate_bytes(content: bytes, other: bytes, chance: Random) -> bytes:
    """The content with some of its bytes changed, left out, repeated, or taken from another input."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        place = chance.randint(0, len(changed))
        end = min(len(changed), place + chance.choice((1, 1, 2, 4, 8, 64, 1024)))
        match chance.randrange(8):
            case 0 if changed:
                changed[place % len(changed)] ^= 1 << chance.randrange(8)
            case 1 if changed:
                changed[place % len(changed)] = chance.randrange(256)
            case 2:
                del changed[place:end]
            case 3:
                changed[place:end] = chance.choice(ODD_BYTES)
            case 4:
                changed[place:place] = changed[place:end] * chance.choice((1, 2, 200))
            case 5:
                start = chance.randint(0, len(other))
                changed[place:end] = other[start : start + chance.choice((1, 8, 64, 1024))]
            case 6:
                del changed[place:]
            case _:
                changed[place:place] = chance.choice(ODD_BYTES)
    return bytes(changed[:LONGEST])


def mutate_tree(value: Any, chance: Random) -> Any:
    """A value of JSON or msgpack in which something at one place is of another kind, missing or too much."""
    if chance.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return _another(value, chance)
    if isinstance(value, dict):
        name = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {key: item for key, item in value.items() if key != name}
            case 1:
                return {**value, chance.choice(("", "x", "type", "__class__", "a" * 300)): value[name]}
            case _:
                return {**value, name: mutate_tree(value[name], chance)}
    place = chance.randrange(len(value))
    match chance.randrange(8):
        case 0:
            return value[:place] + value[place + 1 :]
        case 1:
            return value + value[place:] * chance.choice((1, 2, 500))
        case _:
            return [*value[:place], mutate_tree(value[place], chance), *value[place + 1 :]]


def _another(value: Any, chance: Random) -> Any:
    match chance.randrange(6):
        case 0:
            deep = value
            for _ in range(chance.choice((1, 30, 600))):
                deep = [deep] if chance.random() < 0.5 else {"a": deep}
            return deep
        case 1 if isinstance(value, int | float):
            return chance.choice((value + 1, -value, str(value), value * 1e300 if value else -1))
        case 2 if isinstance(value, str):
            return mutate_bytes(value.encode("utf-8", "replace"), b"", chance).decode("utf-8", "replace")
        case 3 if isinstance(value, bytes):
            return mutate_bytes(value, b"", chance)
        case 4:
            return [value] * chance.choice((0, 1, 2, 2000))
        case _:
            return chance.choice((*ODD_VALUES, b"", b"\x00" * 32, b"\xff" * 32))


TREES: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    "msgpack": (
        lambda content: msgpack.unpackb(content, strict_map_key=False),
        lambda value: bytes(msgpack.packb(value)),
    ),
    "json": (json.loads, lambda value: json.dumps(value, default=bytes.hex).encode()),
}
"""How the inputs of a parser are taken apart and put together; bytes that cannot be are changed as bytes."""


def mutate(content: bytes, other: bytes, form: str, chance: Random) -> bytes:
    """Another input like this one; `form` is "msgpack", "json" or "bytes"."""
    if form in TREES and chance.random() < 0.75:
        apart, together = TREES[form]
        try:
            return together(mutate_tree(apart(content), chance))[:LONGEST]
        except (ValueError, OverflowError, RecursionError, TypeError, msgpack.UnpackException):
            pass  # not a tree, or none that this form can hold
    return mutate_bytes(content, other, chance)
