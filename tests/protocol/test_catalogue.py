"""What the messages say of themselves is what requests, roles and the wire say."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from protocol.codec import pack, unpack
from protocol.messages import (
    MAXIMUM_BODY_BYTES,
    MESSAGE_TYPES,
    EncryptedModel,
    Invitation,
    Message,
    MessageBody,
    ModelRequest,
    size_limit,
)
from protocol.messages.examples import VALIDATOR, relayed
from protocol.messages.limits import limits_of
from protocol.messages.opening import SignedRefusal
from protocol.msgpack_shape import require_shape
from protocol.preparation.columns import CategoricalColumn
from protocol.preparation.values import MOST_LEVELS_TOGETHER
from protocol.request_sections import MAXIMUM_FEATURES, Deadlines
from protocol.roles.dispatch import ROLES, inputs_of
from protocol.types import MAXIMUM_INTEGER_BYTES
from protocol.vectors import EncryptedVector
from tests.support.deployment.documents import any_request


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_an_example_can_be_received(name: str) -> None:
    example = MESSAGE_TYPES[name].catalogue.example()
    assert type(example) is MESSAGE_TYPES[name]
    assert unpack(Message, pack(example)) == example


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_an_example_keeps_to_its_limit(name: str) -> None:
    example = MESSAGE_TYPES[name].catalogue.example()
    assert len(pack(example)) < size_limit(name) <= MAXIMUM_BODY_BYTES


def test_a_type_of_a_later_version_has_the_common_limit() -> None:
    assert size_limit("progress_note") == MAXIMUM_BODY_BYTES


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_an_example_has_the_shape_that_its_type_may_have(name: str) -> None:
    require_shape(pack(MESSAGE_TYPES[name].catalogue.example()), limits_of(MESSAGE_TYPES[name]))


def test_limits_follow_from_the_bounds_of_fields() -> None:
    class Named(MessageBody):
        type: Literal["named"] = "named"
        rows: Annotated[tuple[int, ...], Field(max_length=7)]

    assert limits_of(Named).elements == limits_of(ModelRequest).elements + 1 + 1 + 7
    assert limits_of(Named).depth == limits_of(ModelRequest).depth + 1
    largest = EncryptedVector(
        key_id=bytes(32), scale=4096, ciphertexts=(bytes(MAXIMUM_INTEGER_BYTES),) * (MAXIMUM_FEATURES + 1)
    )
    refused = relayed("opening_refused", VALIDATOR).model_dump() | {"body": bytes(64 << 10)}
    content = pack(EncryptedModel(model=largest, refused=SignedRefusal(**refused)))
    assert len(content) < size_limit("encrypted_model") < len(content) + 20_000
    assert size_limit("model_request") < 5000


def test_the_levels_of_all_columns_count_once() -> None:
    class Tables(MessageBody):
        type: Literal["tables"] = "tables"
        columns: Annotated[tuple[CategoricalColumn, ...], Field(max_length=1000)]

    class Table(MessageBody):
        type: Literal["table"] = "table"
        columns: Annotated[tuple[CategoricalColumn, ...], Field(max_length=1)]

    one, thousand = limits_of(Table).elements, limits_of(Tables).elements
    assert MOST_LEVELS_TOGETHER < one < MOST_LEVELS_TOGETHER + 200
    assert MOST_LEVELS_TOGETHER < thousand < MOST_LEVELS_TOGETHER + 25_000
    levels = [f"{number:>0100}" for number in range(256)]
    columns = [{"name": f"c{n}", "kind": "categorical", "levels": levels} for n in range(16)]
    asked = pack(Invitation.catalogue.example().model_copy(update={"request": any_request(features=columns)}))
    assert len(asked) < size_limit("invitation")
    require_shape(asked, limits_of(Invitation))


def test_a_sequence_without_a_bound_is_an_error_of_the_class() -> None:
    class Endless(MessageBody):
        type: Literal["endless"] = "endless"
        rows: tuple[int, ...]

    with pytest.raises(TypeError, match="without a bound"):
        limits_of(Endless)


def sequences(schema: Any) -> Iterator[Any]:
    """Every sequence in a type's schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "tuple":
            yield schema
        for inner in schema.values():
            yield from sequences(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from sequences(inner)


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_long_sequences_end_at_their_first_error(name: str) -> None:
    for schema in sequences(MESSAGE_TYPES[name].__pydantic_core_schema__):
        assert schema["max_length"] <= 256 or schema["fail_fast"]


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_recipients_can_answer_and_deadlines_are_the_request_s(name: str) -> None:
    catalogue = MESSAGE_TYPES[name].catalogue
    recipients = {recipient for _, recipient in catalogue.routes}
    for answer in catalogue.answers:
        assert recipients & {sender for sender, _ in MESSAGE_TYPES[answer].catalogue.routes}, answer
    if catalogue.deadline is not None:
        assert catalogue.deadline in Deadlines.model_fields
        assert catalogue.answers
        assert catalogue.on_silence


def handled_by(step: str, recipient: str) -> set[str]:
    """The modules of the handlers that a role has for this input."""
    rows = ROLES[recipient].MACHINE.table.values()
    return {row[step].handler.__module__.rsplit(".", 1)[-1] for row in rows if step in row}


def test_a_seat_is_that_of_the_handler() -> None:
    for name, kind in MESSAGE_TYPES.items():
        seat = kind.catalogue.seat
        if seat and name in inputs_of("data_owner"):
            assert ("trainer" in handled_by(name, "data_owner")) == (seat == "trainers")


def test_every_message_is_handled() -> None:
    outside_of_trainings = {
        "owner_announcement",
        "announcement_answer",
        "cards_order",
        "cards_request",
        "cards_answer",
        "chain_event",
        "policy_order",
        "withdraw_order",
    }
    known = set().union(*map(inputs_of, ROLES))
    assert set(MESSAGE_TYPES) <= known | outside_of_trainings
