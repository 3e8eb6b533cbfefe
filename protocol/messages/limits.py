"""How large a body of each type may be, as follows from the bounds of its fields.

The fields' bounds are those of the request (features, key bits, owners), so nothing has to be kept in step by
hand, and a field without a bound is an error in the class.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from protocol.messages.catalogue import MAXIMUM_BODY_BYTES, MessageBody
from protocol.msgpack_shape import Limits
from protocol.types import MAXIMUM_INTEGER_BYTES

_HEADER = 5
"""Bytes before a text, byte string, array or map, at most."""

_NUMBER = 9
_DECIMAL_DIGITS = 64
"""Of a request's number as text: 28 digits, a point and a sign, up to 30 places from the point."""

_WRITTEN = {"bytes": MAXIMUM_INTEGER_BYTES, "str": _DECIMAL_DIGITS}
"""Of a number that is written as these."""

_LATER_BYTES, _LATER_ELEMENTS, _LATER_KEYS, _LATER_DEPTH = 4096, 64, 16, 2
"""Room for the fields that a later minor version adds."""

_SEAL_BYTES = 256
"""The seal, the signature, and the names of both parts."""

_WRAPPERS = ("model", "default", "nullable", "function-before", "function-after", "function-wrap")


@dataclass(frozen=True, slots=True)
class _Size:
    """The largest that a value of a type can be."""

    bytes: int
    elements: int = 1
    depth: int = 0
    keys: int = 0
    shared_bytes: int = 0
    shared_elements: int = 0
    """Of sequences that share one bound (`types.Together`): not once for each."""


@cache
def limits_of(kind: type[Any]) -> Limits:
    """The bounds of a decoded body; raises TypeError for a class with a field that has no bound."""
    size = _size(kind.__pydantic_core_schema__, {})
    elements = size.elements + size.shared_elements
    return Limits(elements + _LATER_ELEMENTS, size.depth + _LATER_DEPTH, size.keys + _LATER_KEYS)


@cache
def sealed_bytes(kind: type[MessageBody]) -> int:
    """Bytes that a sealed body may have at most."""
    size = _size(kind.__pydantic_core_schema__, {})
    most = size.bytes + size.shared_bytes + _LATER_BYTES + _SEAL_BYTES
    return min(most, kind.catalogue.maximum_bytes, MAXIMUM_BODY_BYTES)


def _size(schema: Mapping[str, Any], known: Mapping[str, Any]) -> _Size:
    kind = schema["type"]
    written = schema.get("serialization", {}).get("return_schema", {}).get("type")
    if written in _WRITTEN:
        size = _Size(_HEADER + _WRITTEN[written])
    elif kind in _WRAPPERS:
        size = _size(schema["schema"], known)
    elif kind == "definitions":
        size = _size(schema["schema"], {item["ref"]: item for item in schema["definitions"]})
    elif kind == "definition-ref":
        size = _size(known[schema["schema_ref"]], known)
    elif kind == "model-fields":
        size = _map({name: _size(field["schema"], known) for name, field in schema["fields"].items()})
    elif kind == "tagged-union":
        size = _largest(_size(choice, known) for choice in schema["choices"].values())
    elif kind == "union":
        size = _largest(_size(choice, known) for choice in schema["choices"])
    elif kind == "tuple":
        size = _array(schema, known)
    else:
        size = _Size(_scalar_bytes(schema))
    return size


def _map(fields: Mapping[str, _Size]) -> _Size:
    inner = _largest(fields.values())
    return _Size(
        _HEADER + sum(_HEADER + len(name) + size.bytes for name, size in fields.items()),
        1 + sum(1 + size.elements for size in fields.values()),
        1 + inner.depth,
        max(len(fields), inner.keys),
        sum(size.shared_bytes for size in fields.values()),
        sum(size.shared_elements for size in fields.values()),
    )


def _array(schema: Mapping[str, Any], known: Mapping[str, Any]) -> _Size:
    if "max_length" not in schema:
        raise TypeError(f"a sequence without a bound: {schema}")
    item, most = _size(schema["items_schema"][0], known), schema["max_length"]
    together = schema.get("metadata", {}).get("together")
    if together is not None:
        shared = together * item.bytes, together * item.elements
        return _Size(_HEADER, 1, 1 + item.depth, item.keys, *shared)
    return _Size(
        _HEADER + most * item.bytes,
        1 + most * item.elements,
        1 + item.depth,
        item.keys,
        item.shared_bytes,
        item.shared_elements,
    )


def _scalar_bytes(schema: Mapping[str, Any]) -> int:
    kind = schema["type"]
    if kind == "literal":
        return _HEADER + max(len(str(value)) for value in schema["expected"])
    if kind == "bytes":  # a relayed message's body is as long as any message
        return _HEADER + int(schema.get("max_length", MAXIMUM_BODY_BYTES))
    if kind == "str" and "max_length" in schema:
        return _HEADER + 4 * int(schema["max_length"])
    if kind in ("int", "bool", "float", "none"):
        return _NUMBER
    raise TypeError(f"no bound is known of {schema}")


def _largest(sizes: Iterable[_Size]) -> _Size:
    """In each respect."""
    found = tuple(sizes)
    return _Size(
        max((size.bytes for size in found), default=0),
        max((size.elements for size in found), default=0),
        max((size.depth for size in found), default=0),
        max((size.keys for size in found), default=0),
        max((size.shared_bytes for size in found), default=0),
        max((size.shared_elements for size in found), default=0),
    )
