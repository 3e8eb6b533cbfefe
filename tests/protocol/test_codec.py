"""Bytes from strangers: a value of the expected type or one kind of error."""

from contextlib import suppress
from typing import Annotated, Any

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from protocol.codec import MAXIMUM_BYTES, pack, pack_around, unpack
from protocol.errors import ProtocolViolation
from protocol.messages import InvitationAnswer, Message, ModelReceived, ModelRequest, StopOrder
from protocol.types import FrozenModel

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 64) - 1), st.floats(), st.text())
VALUES = st.recursive(
    SCALARS | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


class Inner(FrozenModel):
    raw: bytes
    small: Annotated[int, Field(ge=0, lt=1 << 63)]


class Outer(FrozenModel):
    text: str
    flag: bool | None
    inner: tuple[Inner, ...]


class Holder(FrozenModel):
    before: int
    inner: Inner
    after: str


INNERS = st.builds(Inner, raw=st.binary(max_size=100), small=st.integers(0, (1 << 63) - 1))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
OUTERS = st.builds(
    Outer, text=TEXTS, flag=st.none() | st.booleans(), inner=st.lists(INNERS, max_size=4).map(tuple)
)


def refusal(kind: Any, content: bytes) -> ProtocolViolation:
    with pytest.raises(ProtocolViolation) as caught:
        unpack(kind, content)
    assert caught.value.code == "malformed"
    return caught.value


@given(OUTERS)
def test_models_survive_the_wire(value: Outer) -> None:
    assert unpack(Outer, pack(value)) == value


@given(OUTERS, st.sets(st.sampled_from(("text", "flag"))))
def test_fields_that_are_packed_already_make_the_same_bytes(value: Outer, names: set[str]) -> None:
    packed = {name: msgpack.packb(getattr(value, name)) for name in names}
    assert pack_around(value, packed) == pack(value)


@given(INNERS)
def test_a_model_that_is_packed_already_makes_the_same_bytes(value: Inner) -> None:
    outer = Holder(before=1, inner=value, after="x")
    assert pack_around(outer, {"inner": pack(value)}) == pack(outer)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_message_or_a_violation(content: bytes) -> None:
    refusal(Message, content)


@given(VALUES)
def test_any_msgpack_gives_a_message_or_a_violation(value: object) -> None:
    refusal(Message, msgpack.packb(value, use_bin_type=True))


@given(st.sampled_from(["model_received", "invitation_answer", "opening", "complaint"]), VALUES, st.text())
def test_any_fields_give_a_message_or_a_violation(kind: str, value: object, field: str) -> None:
    for name in ("digest", "decision", "rows", "roots", "evidence", field):
        content = msgpack.packb({"type": kind, name: value}, use_bin_type=True)
        with suppress(ProtocolViolation):
            unpack(Message, content)


@given(st.data())
def test_changed_bytes_give_a_message_or_a_violation(data: st.DataObject) -> None:
    content = bytearray(pack(ModelReceived(digest=bytes(32))))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(ProtocolViolation):
        unpack(Message, bytes(content))


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1a"])
@pytest.mark.parametrize("depth", [10, 300, 510, 900, 1020, 1500, 100_000])
def test_deep_nesting_does_not_exhaust_the_stack(opening: bytes, depth: int) -> None:
    refusal(Message, opening * depth + b"\xc0")


def test_too_many_bytes_are_not_read() -> None:
    size = MAXIMUM_BYTES + 1
    assert refusal(Message, bytes(size)).detail == f"{size} bytes; at most {MAXIMUM_BYTES} are read"


@pytest.mark.parametrize(
    "content",
    [
        {"type": "model_request", "evil\nINFO all is well": 1},
        {"type": "model_request", b"evil": 1},
        {"type": "evil\n"},
        {"type": "stop_order", "training": 1, "reason": "evil\n"},
        {"type": "stop_order", "training": "evil", "reason": "x"},
        {"type": "model_received", "digest": "evil"},
        {"evil\n": "evil"},
    ],
)
def test_a_peer_cannot_write_into_the_log(content: dict[Any, Any]) -> None:
    violation = refusal(Message, msgpack.packb(content, use_bin_type=True))
    assert "evil" not in str(violation)
    assert "\n" not in str(violation)


def test_the_refused_field_is_named() -> None:
    content = msgpack.packb({"type": "stop_order", "training": -1, "reason": "x"})
    assert refusal(Message, content).detail == "stop_order.training: greater_than_equal"


@pytest.mark.parametrize(
    "content",
    [
        {"training": "5"},
        {"training": 5.0},
        {"training": True},
        {"training": -1},
        {"training": 5, "unknown": None},
        {},
    ],
)
def test_loose_values_are_refused(content: dict[str, Any]) -> None:
    whole = {"type": "stop_order", "reason": "x", **content}
    refusal(StopOrder, msgpack.packb(whole, use_bin_type=True))


@pytest.mark.parametrize("decision", [b"accepted", "perhaps", None])
def test_what_is_no_word_of_a_list_is_refused(decision: Any) -> None:
    content = {"type": "invitation_answer", "decision": decision}
    refusal(InvitationAnswer, msgpack.packb(content, use_bin_type=True))


def test_trailing_bytes_are_refused() -> None:
    refusal(Message, pack(ModelRequest()) + b"\0")


def test_one_type_does_not_pass_for_another() -> None:
    refusal(ModelReceived, pack(StopOrder(training=1, reason="enough")))
