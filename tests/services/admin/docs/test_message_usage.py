"""What the catalogue says of the messages is what types, routes, tables and a real training say."""

import re
from pathlib import Path

import pytest

from protocol.codec import pack, unpack
from protocol.messages import MESSAGE_TYPES, ROUTES, Message
from protocol.request import Deadlines
from protocol.roles.dispatch import ROLES, inputs_of
from services.admin.docs.message_examples import EXAMPLES
from services.admin.docs.message_usage import CALLERS, COURSE, USAGE
from services.admin.docs.sequence_diagram import sequence_diagram
from tests.support.pure_market import PureMarket
from tests.support.small_markets import COLUMNS, small_data, small_request

README = Path(__file__).parents[2] / "protocol" / "README.md"
STEPS = [step for part in COURSE for step in part.steps]
WHEN_SOMETHING_FAILS = {
    "Cancelled",
    "complaint",
    "model_request",
    "opening_refused",
    "participant_dropped",
    "stop_order",
    "training_failed",
}
BY_A_PERSON = {"owner_decision"}


def test_every_type_has_its_usage_and_an_example():
    assert list(USAGE) == list(MESSAGE_TYPES)
    assert set(EXAMPLES) == set(MESSAGE_TYPES)


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_an_example_can_be_received(name):
    assert unpack(Message, pack(EXAMPLES[name])) == EXAMPLES[name]


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_recipients_can_answer_and_deadlines_are_the_request_s(name):
    usage = USAGE[name]
    recipients = {recipient for _, recipient in ROUTES[name]}
    for answer in usage.answers:
        assert recipients & {sender for sender, _ in ROUTES[answer]}, answer
    if usage.deadline is not None:
        assert usage.deadline in Deadlines.model_fields
        assert usage.answers
        assert usage.on_silence


def handled_by(step, recipient):
    rows = ROLES[recipient].MACHINE.table.values()
    return {row[step].__module__.rsplit(".", 1)[-1] for row in rows if step in row}


def test_a_seat_is_that_of_the_handler():
    for name, usage in USAGE.items():
        if usage.seat and name in inputs_of("data_owner") and ("model_buyer", "data_owner") in ROUTES[name]:
            assert handled_by(name, "data_owner") == {usage.seat.removesuffix("s")}


def test_what_is_said_to_be_unused_is_in_no_table_and_the_rest_is():
    outside_of_trainings = {
        "owner_announcement",
        "announcement_answer",
        "chain_event",
        "policy_order",
        "withdraw_order",
    }
    known = set().union(*map(inputs_of, ROLES))
    for name, usage in USAGE.items():
        unused = usage.sent_when.startswith("Not sent")
        assert unused == (name not in known | outside_of_trainings), name


def test_the_course_has_every_message_and_event_that_a_table_allows():
    known = set().union(*map(inputs_of, ROLES))
    allowed = {name for name in known if name in MESSAGE_TYPES or re.fullmatch(r"[A-Z]\w+", name)}
    apart = WHEN_SOMETHING_FAILS | BY_A_PERSON
    calls = {step for step in STEPS if step.startswith("call:")}
    assert set(STEPS) - calls == allowed - apart
    assert calls == {f"call:{name}" for name in CALLERS}
    assert len(STEPS) == len(set(STEPS))


class Recorded(PureMarket):
    """Notes every message and call with its sender's role."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.steps = []

    def message(self, sender, recipient, body, **place):
        self.steps.append((body.type, sender.role))
        return super().message(sender, recipient, body, **place)

    def call(self, party, call):
        self.steps.append((f"call:{call.call}", party.role))
        super().call(party, call)


def test_a_training_goes_as_the_course_says():
    market = Recorded(small_request(), small_data(), COLUMNS)
    market.start()
    market.finish()
    assert market.buyer.kept == ["model"]
    happened = list(dict.fromkeys(step for step, _ in market.steps))
    expected = [step for step in STEPS if step in MESSAGE_TYPES or step.startswith("call:")]
    assert happened == expected
    callers = {(step.removeprefix("call:"), role) for step, role in market.steps if step.startswith("call:")}
    assert callers == {(name, role) for name, roles in CALLERS.items() for role in roles}


def test_the_diagram_in_the_readme_is_current():
    _, _, rest = README.read_text(encoding="utf-8").partition("<!-- begin: course -->\n")
    block, _, _ = rest.partition("<!-- end: course -->")
    assert block == f"```mermaid\n{sequence_diagram()}```\n", "run `make docs`"
