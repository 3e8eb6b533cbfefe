"""What msgpack bytes would become, before anything is made of them.

A decoder makes an object of eight bytes and more of every byte, and sets aside room for as many elements as
an array says it has. So the headers are walked first, which allocates nothing, and the walk ends at the first
thing that is over a limit.
"""

from dataclasses import dataclass

from protocol.errors import ProtocolViolation


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one value: `elements` counts every value and key, `depth` containers within containers.

    `keys` bounds the entries of each map.
    """

    elements: int
    depth: int
    keys: int


STORED = Limits(elements=1 << 22, depth=64, keys=1 << 20)
"""For what this program has written itself."""

_ARRAY, _MAP = 1, 2
_WIDTHS = {
    **dict.fromkeys((0xC4, 0xD9), 1),
    **dict.fromkeys((0xC5, 0xDA, 0xDC, 0xDE), 2),
    **dict.fromkeys((0xC6, 0xDB, 0xDD, 0xDF), 4),
}
"""Bytes of the length that follows a header."""

_CONTAINERS = {0xDC: _ARRAY, 0xDD: _ARRAY, 0xDE: _MAP, 0xDF: _MAP}
_FIXED = {0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9}


def _header(first: int) -> tuple[int, int, int]:
    """(kind of container or 0, bytes or elements in the header itself, bytes of the length that follows)."""
    if 0x80 <= first <= 0x8F:
        return _MAP, first & 0x0F, 0
    if 0x90 <= first <= 0x9F:
        return _ARRAY, first & 0x0F, 0
    if 0xA0 <= first <= 0xBF:
        return 0, 1 + (first & 0x1F), 0
    if first in _WIDTHS:
        return _CONTAINERS.get(first, 0), 0, _WIDTHS[first]
    if first in _FIXED:
        return 0, _FIXED[first], 0
    # What is left is one byte long, or an extension type or unused: the decoder refuses those.
    return 0, 1, 0


_HEADERS = tuple(map(_header, range(256)))
_ALONE = tuple(0 if kind or width else length for kind, length, width in _HEADERS)
"""Bytes of a value that its first byte tells all about, nearly all there are; 0 of any other."""


def require_shape(content: bytes, limits: Limits) -> None:
    """Raise ProtocolViolation("malformed") for a value over a limit, or one that ends early.

    Bytes after the value, extension types and text that is no UTF-8 are left to the decoder.
    """
    place, size, due, claimed = 0, len(content), 1, 1
    outer: list[int] = []
    _require(claimed, limits.elements, "elements")
    while True:
        while due:
            if place >= size:
                raise ProtocolViolation("malformed", "ends early")
            due -= 1
            first = content[place]
            alone = _ALONE[first]
            if alone:
                place += alone
                continue
            kind, length, width = _HEADERS[first]
            if width:
                length = int.from_bytes(content[place + 1 : place + 1 + width], "big")
            place += 1 + width
            if not kind:
                place += length
                continue
            if kind == _MAP:
                _require(length, limits.keys, "fields in one value")
            outer.append(due)
            due = length * kind
            claimed += due
            _require(len(outer), limits.depth, "levels of values within values")
            _require(claimed, limits.elements, "elements")
        if not outer:
            break
        due = outer.pop()
    if place > size:
        raise ProtocolViolation("malformed", "ends early")


def _require(found: int, most: int, what: str) -> None:
    if found > most:
        raise ProtocolViolation("malformed", f"{found} {what}; at most {most}")
