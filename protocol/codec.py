"""Bytes for values and back: msgpack of the pydantic model, the same for the bus and for stored states."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, overload

import msgpack  # type: ignore[import-untyped]
from pydantic import BaseModel, TypeAdapter, ValidationError

from protocol.errors import ProtocolViolation
from protocol.msgpack_shape import STORED, Limits, require_shape

T = TypeVar("T", bound=BaseModel)
MAXIMUM_BYTES = 256 * 2**20


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def pack(value: BaseModel) -> bytes:
    """The msgpack bytes of a model; byte strings stay raw, which a base64 JSON would swell by a third."""
    return bytes(msgpack.packb(value.model_dump(mode="python"), use_bin_type=True))


def pack_around(value: BaseModel, packed: Mapping[str, bytes]) -> bytes:
    """The bytes of `pack`, with those of some fields, by their names, as they were packed before."""
    plain = value.model_dump(mode="python", exclude=set(packed))
    packer = msgpack.Packer(use_bin_type=True)
    names = [name for name in type(value).model_fields if name in packed or name in plain]
    parts = [packer.pack_map_header(len(names))]
    for name in names:
        parts += [packer.pack(name), packed[name] if name in packed else packer.pack(plain[name])]
    return b"".join(parts)


@overload
def unpack(kind: type[T], content: bytes, *, newer: bool = False, limits: Limits = STORED) -> T: ...
@overload
def unpack(kind: Any, content: bytes, *, newer: bool = False, limits: Limits = STORED) -> Any: ...
def unpack(kind: Any, content: bytes, *, newer: bool = False, limits: Limits = STORED) -> Any:
    """The validated value of type `kind` (a model or a union) in `content`.

    With `newer`, which is for models alone, fields of the outermost value that `kind` does not know are
    passed over: a later minor version wrote it. What is over `limits` is not decoded.

    Raises ProtocolViolation("malformed") for anything else. The text names the field and the rule, never the
    value: a peer must not be able to write into our log.
    """
    return validated(kind, decoded(content, limits), newer=newer)


def decoded(content: bytes, limits: Limits = STORED) -> Any:
    """The first half of `unpack`: what msgpack finds in `content`, within `limits`."""
    if len(content) > MAXIMUM_BYTES:
        raise ProtocolViolation("malformed", f"{len(content)} bytes; at most {MAXIMUM_BYTES} are read")
    require_shape(content, limits)
    try:
        # Frozen models hold tuples and are strict, and msgpack knows one type of sequence.
        return msgpack.unpackb(content, raw=False, strict_map_key=True, use_list=False)
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError) as error:
        raise ProtocolViolation("malformed", f"not msgpack ({type(error).__name__})") from None


def validated(kind: Any, plain: Any, *, newer: bool = False) -> Any:
    """The second half of `unpack`: the value of type `kind` that is made of what `decoded` found."""
    if newer and isinstance(plain, dict):
        plain = {name: value for name, value in plain.items() if name in kind.model_fields}
    try:
        return _adapter(kind).validate_python(plain)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        # The place of an unknown field ends in the peer's own text.
        foreign = first["type"] in {"extra_forbidden", "invalid_key"}
        place = first["loc"][:-1] if foreign else first["loc"]
        field = ".".join(str(part)[:40] for part in place[:6])
        raise ProtocolViolation("malformed", f"{field or 'value'}: {first['type']}") from None
