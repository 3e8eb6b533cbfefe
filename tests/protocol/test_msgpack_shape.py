"""What is counted before decoding is what the decoder would find."""

from contextlib import suppress

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ProtocolViolation
from protocol.msgpack_shape import Limits, require_shape

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text(max_size=300)
    | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=40), inner, max_size=20),
    max_leaves=60,
)


def counted(value: object) -> tuple[int, int, int]:
    """Elements, depth and keys, as they are to be counted."""
    if isinstance(value, dict):
        inner = [counted(item) for pair in value.items() for item in pair]
    elif isinstance(value, list):
        inner = [counted(item) for item in value]
    else:
        return 1, 0, 0
    own = len(value) if isinstance(value, dict) else 0
    return (
        1 + sum(item[0] for item in inner),
        1 + max((item[1] for item in inner), default=0),
        max([own, *(item[2] for item in inner)]),
    )


@given(VALUES)
def test_limits_hold_exactly(value: object) -> None:
    content = msgpack.packb(value)
    elements, depth, keys = counted(value)
    require_shape(content, Limits(elements, depth, keys))
    for short in (
        Limits(elements - 1, depth, keys),
        Limits(elements, depth - 1, keys),
        Limits(elements, depth, keys - 1),
    ):
        if min(short.elements, short.depth, short.keys) >= 0:
            with pytest.raises(ProtocolViolation, match="at most"):
                require_shape(content, short)


@given(VALUES, st.data())
def test_what_ends_early_is_refused(value: object, data: st.DataObject) -> None:
    content = msgpack.packb(value)
    with pytest.raises(ProtocolViolation, match="malformed"):
        require_shape(content[: data.draw(st.integers(0, len(content) - 1))], Limits(10_000, 100, 100))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_within_the_limits(content: bytes) -> None:
    limits = Limits(elements=20, depth=3, keys=5)
    with suppress(ProtocolViolation):
        require_shape(content, limits)
        with suppress(ValueError, msgpack.exceptions.UnpackException):
            value = msgpack.unpackb(content, raw=True, strict_map_key=False, use_list=True)
            assert counted(value)[0] <= limits.elements


@pytest.mark.parametrize("header", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdc\xff\xff"])
def test_a_claimed_length_is_not_believed(header: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="at most"):
        require_shape(header * 100, Limits(1000, 1000, 1000))
