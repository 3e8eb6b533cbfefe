"""What the messages say of themselves is what requests, roles and the wire say."""

import pytest

from protocol.codec import pack, unpack
from protocol.messages import MAXIMUM_BODY_BYTES, MESSAGE_TYPES, Message, size_limit
from protocol.request import Deadlines
from protocol.roles.dispatch import ROLES, inputs_of


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
        seat, routes = kind.catalogue.seat, kind.catalogue.routes
        if seat and name in inputs_of("data_owner") and ("model_buyer", "data_owner") in routes:
            assert handled_by(name, "data_owner") == {seat.removesuffix("s")}


def test_every_message_is_handled() -> None:
    outside_of_trainings = {
        "owner_announcement",
        "announcement_answer",
        "chain_event",
        "policy_order",
        "withdraw_order",
    }
    known = set().union(*map(inputs_of, ROLES))
    assert set(MESSAGE_TYPES) <= known | outside_of_trainings
