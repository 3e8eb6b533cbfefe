"""The course of a training in the documents is that of the roles' tables and of a real training."""

import re
from pathlib import Path

from protocol.messages import MESSAGE_TYPES
from protocol.roles.dispatch import ROLES, inputs_of
from services.admin.docs.sequence_diagram import CALLERS, COURSE, sequence_diagram
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import COLUMNS, small_data, small_request

README = Path(__file__).parents[4] / "protocol" / "README.md"
STEPS = [step for stretch in COURSE for step in stretch.steps]
WHEN_SOMETHING_FAILS = {
    "Cancelled",
    "complaint",
    "model_refused",
    "model_request",
    "opening_relayed",
    "opening_refused",
    "participant_dropped",
    "ranges_asked",
    "stop_order",
    "training_failed",
    "zero_test_evidence",
    "zero_test_evidence_request",
}
BY_A_PERSON = {"admission_order", "owner_decision"}
ASKED_FOR = {"information_share", "information_sum"}
"""In trainings whose request asks for standard errors."""


def test_the_course_has_every_message_and_event_that_a_table_allows():
    known = set().union(*map(inputs_of, ROLES))
    allowed = {name for name in known if name in MESSAGE_TYPES or re.fullmatch(r"[A-Z]\w+", name)}
    apart = WHEN_SOMETHING_FAILS | BY_A_PERSON | ASKED_FOR
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
    # Buyer and aggregator, who have nothing to claim, withdraw a little earlier than the owners.
    steps = [step for step, role in market.steps if step != "call:withdraw" or role == "data_owner"]
    happened = list(dict.fromkeys(steps))
    expected = [step for step in STEPS if step in MESSAGE_TYPES or step.startswith("call:")]
    for is_ring in (True, False):  # the checkers' ring and all else go on at one time
        assert [one for one in happened if one.startswith("ring_") == is_ring] == [
            one for one in expected if one.startswith("ring_") == is_ring
        ]
    callers = {(step.removeprefix("call:"), role) for step, role in market.steps if step.startswith("call:")}
    assert callers == {(name, role) for name, roles in CALLERS.items() for role in roles}


def test_the_diagram_in_the_readme_is_current():
    _, _, rest = README.read_text(encoding="utf-8").partition("<!-- begin: diagram -->\n")
    block, _, _ = rest.partition("<!-- end: diagram -->")
    assert block == f"```mermaid\n{sequence_diagram()}```\n", "run `make docs`"
