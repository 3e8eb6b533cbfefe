"""Every message of the protocol counts for a phase, and every phase of the report is there from the start."""

import pytest

from protocol.messages import MESSAGE_TYPES
from protocol.messages.rounds import CHECKED_TYPES
from services.observability.counters import _PHASE_OF_INPUT, OTHER_CODE, PHASES, Meter
from services.records.round_checks import TROUBLES


def test_all_phases_are_there_at_zero():
    assert dict(Meter().seconds) == dict.fromkeys(PHASES, 0.0)


def test_steps_add_up_in_the_phase_of_their_input():
    meter = Meter()
    meter.step("proven_update", 1.5)
    meter.step("encrypted_model", 0.5)
    meter.step("Opened", 0.25)
    assert (meter.seconds["training"], meter.seconds["start"]) == (2.0, 0.25)


def test_only_messages_and_phases_that_exist_are_named():
    assert set(_PHASE_OF_INPUT) <= set(MESSAGE_TYPES)
    assert set(_PHASE_OF_INPUT.values()) <= set(PHASES)


def test_everything_that_only_a_checked_round_sends_counts_for_a_phase_of_the_round():
    start = {"checked_ready", "checked_started"}
    assert set(CHECKED_TYPES) - start <= set(_PHASE_OF_INPUT)
    assert not start & set(_PHASE_OF_INPUT)


def test_a_block_counts_also_when_it_raises():
    meter = Meter()
    with pytest.raises(ZeroDivisionError), meter.phase("chain"):
        _ = 1 / 0
    assert meter.seconds["chain"] > 0


def test_troubles_of_rounds_are_there_from_the_start_and_count_by_code():
    meter = Meter()
    assert {fact for fact, _code in meter.troubles} == TROUBLES
    assert set(meter.troubles.values()) == {0}
    of = ("0xab", "7")
    meter.noted(of, "check_failed", {"code": "products_contested"})
    meter.noted(of, "attempt_over", {"round": 1, "attempt": 1})
    meter.noted(of, "implausible", {"round": 1})
    meter.noted(of, "round_completed", {"round": 1})
    counted = {place: count for place, count in meter.troubles.items() if count}
    ones = (("check_failed", "products_contested"), ("attempt_over", ""), ("implausible", ""))
    assert counted == dict.fromkeys(ones, 1)


def test_a_peer_that_gives_codes_of_its_own_makes_no_series_of_its_own():
    meter = Meter()
    before = set(meter.troubles)
    for number in range(100):
        meter.noted(("0xab", "7"), "dropped", {"code": f"invented_{number}"})
    assert set(meter.troubles) == before
    assert meter.troubles["dropped", OTHER_CODE] == 100
