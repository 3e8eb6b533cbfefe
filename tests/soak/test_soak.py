"""What a soak draws and reads."""

from random import Random

import pytest

from tests.soak.readings import Memory, reading_of
from tests.soak.report import spread
from tests.soak.schedule import DISTURBED, schedule

NAMES = ["listener", "buyer-1", "aggregator", *(f"owner-{number}" for number in range(1, 7))]
KINDS = {"kill", "restart", "rotate", "passphrase", "away", "remove_data", "add_data"}


def test_a_day_is_drawn_from_its_seed():

    days = [schedule(NAMES, hours=24, per_hour=8, random=Random(seed)) for seed in (1, 1, 2)]
    assert days[0] == days[1] != days[2]
    for day in days:
        assert day == sorted(day)
        assert 100 < sum(event.action == "order" for event in day) < 300
        disturbances = [event for event in day if event.action != "order"]
        assert {event.action for event in disturbances} == KINDS
        assert all(event.hour + event.lasts < 2 / 3 * 24 for event in disturbances)
        for action in ("kill", "restart"):
            assert sorted(one.party for one in disturbances if one.action == action) == sorted(NAMES)
    assert DISTURBED < 2 / 3


def test_a_reading_is_quiet_when_all_has_ended_and_nothing_waits():
    text = 'deltaml_trainings{role="data_owner",party="0x1",state="FAILED(join_no_seat_left)"} 3.0\n'
    assert reading_of(text).is_quiet
    assert not reading_of(text + 'deltaml_outbox_effects{role="data_owner",party="0x1"} 1.0\n').is_quiet
    assert not reading_of(text.replace("FAILED(join_no_seat_left)", "WAITING")).is_quiet


def test_memory_spreads_by_what_daemon_and_workers_hold_together():
    samples = [Memory(1, 7, 100, 100), Memory(2, 7, 120, 90), Memory(3, 7, 100, 100)]
    assert spread(samples) == pytest.approx(0.05)
