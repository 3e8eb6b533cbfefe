"""Bodies of messages with one thing in them changed, as somebody may send them who is out for a crash."""

from collections.abc import Iterator
from random import Random
from typing import Any

ODD_NUMBERS = (b"", b"\0", b"\1", b"\xff" * 8, b"\xff" * 256, b"\x80" + bytes(255), b"\xff" * 300)


def variants(value: Any, random: Random) -> Iterator[Any]:
    """The plain content of a body with one thing in it changed."""
    match value:
        case bytes():
            yield from random.sample(ODD_NUMBERS, 3)
            yield random.randbytes(len(value))
        case bool():
            yield not value
        case int():
            yield from (0, value + 1, -1, 1 << 62)
        case str():
            yield from ("", "ranges", "metric", "unmeasured", "encrypted")
        case None:
            yield from (b"\1" * 32, b"\1" * 65)
        case tuple():
            yield from ((), value[:-1], (*value, *value[:1]), tuple(reversed(value)))
            if value:
                place = random.randrange(len(value))
                for changed in variants(value[place], random):
                    yield (*value[:place], changed, *value[place + 1 :])
        case dict():
            for name in value:
                for changed in variants(value[name], random):
                    yield {**value, name: changed}
