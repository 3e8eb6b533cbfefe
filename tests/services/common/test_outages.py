"""Outages: one line with the cause, counted at growing intervals, one line at the end."""

from itertools import pairwise

import pytest
from structlog import get_logger
from structlog.testing import capture_logs

from services.common.errors import StoreUnavailable
from services.common.outages import LINES_AT_ONCE, LONGEST_INTERVAL_SECONDS, Outage

CAUSE = "the broker does not answer"


class World:
    """One outage, a clock that a test moves, and the lines of its log."""

    def __init__(self, lines: list) -> None:
        self.now, self.lines = 1000.0, lines
        self.outage = Outage(get_logger(), "away", "back", clock=lambda: self.now, place="here")

    def fails(self, seconds: float, *, every: float = 1.0, cause: str = CAUSE) -> None:
        """Attempts for so long, one after another."""
        for _ in range(round(seconds / every)):
            self.outage.failed(StoreUnavailable(cause))
            self.now += every

    def told(self) -> list[tuple]:
        return [(line["event"], line.get("attempts"), line.get("seconds")) for line in self.lines]


@pytest.fixture
def world():
    with capture_logs() as lines:
        yield World(lines)


def test_the_first_line_has_the_cause_and_the_last_what_it_took(world):
    world.fails(10, every=0.5)
    world.outage.works()
    assert world.lines == [
        {"event": "away", "log_level": "warning", "reason": CAUSE, "place": "here"},
        {"event": "back", "log_level": "info", "attempts": 20, "seconds": 10, "place": "here"},
    ]


def test_a_day_of_attempts_is_counted_at_growing_intervals(world):
    world.fails(86_400, every=2.0)
    assert world.told()[:4] == [("away", None, None), ("away", 31, 60), ("away", 91, 180), ("away", 211, 420)]
    moments = [seconds or 0 for _, _, seconds in world.told()]
    assert max(later - earlier for earlier, later in pairwise(moments)) == LONGEST_INTERVAL_SECONDS
    assert len(moments) < 32


def test_what_works_costs_no_line(world):
    world.outage.works()
    world.outage.works("something")
    assert world.lines == []
    assert not world.outage.is_on


def test_an_outage_is_over_when_every_part_of_it_works(world):
    for part in ("reading", "writing"):
        world.outage.failed(StoreUnavailable(CAUSE), part=part)
    world.outage.works("reading")
    assert world.outage.is_on
    assert len(world.lines) == 1
    world.outage.works("writing")
    assert not world.outage.is_on
    assert world.told()[-1] == ("back", 2, 0)


def test_what_still_works_now_and_then_is_not_back(world):
    world.outage = Outage(get_logger(), "away", "back", calm_seconds=5.0, clock=lambda: world.now)
    for _ in range(10):
        world.fails(3)
        world.outage.works()
        assert world.outage.is_on
    world.now += 5
    world.outage.works()
    assert [event for event, _, _ in world.told()] == ["away", "back"]


def test_another_cause_is_told_at_once_but_not_without_end(world):
    for number in range(100):
        world.outage.failed(StoreUnavailable(f"cause {number}"))
    reasons = [line["reason"] for line in world.lines]
    assert reasons == [f"cause {number}" for number in range(1 + LINES_AT_ONCE)]


def test_what_comes_and_goes_fills_no_log(world):
    for _ in range(600):
        world.fails(1)
        world.outage.works()
        world.now += 1
    assert len(world.lines) <= 2 * (LINES_AT_ONCE + 5)
    world.now += 10_000
    before = len(world.lines)
    world.fails(1)  # long after: another outage, with all its lines
    world.outage.works()
    assert world.told()[before:] == [("away", None, None), ("back", 1, 1)]


def test_a_line_that_says_it_is_away_is_followed_by_one_that_says_it_is_back(world):
    """Whatever comes and goes between the lines."""
    for number in range(300):
        world.fails(number % 7)
        world.outage.works()
    away = False
    for event, _, _ in world.told():
        assert event == "away" or away
        away = event == "away"
    assert not away


def test_an_error_that_one_outage_has_told_is_not_told_by_another(world):
    error = world.outage.failed(StoreUnavailable(CAUSE))
    waiting = Outage(get_logger(), "step_waits", "steps_go_on")
    assert waiting.failed(error) is error
    assert waiting.is_on
    waiting.works()
    assert [line["event"] for line in world.lines] == ["away"]


def test_a_text_that_may_hold_a_secret_is_not_told(world):
    world.outage.failed(OSError("wss://node.example/secret"), reason="OSError")
    world.outage.failed(TimeoutError())
    assert [line["reason"] for line in world.lines] == ["OSError", "TimeoutError"]
