"""The record of an attempt, and sums that nobody publishes."""

from typing import Any

import pytest

from protocol.errors import ProtocolViolation
from protocol.learning.moments.widths import Start
from protocol.messages.rounds.values import AttemptFacts
from protocol.records import FIXED_POINT, RoundRecord
from protocol.roles.engine.state import replace
from protocol.roles.rounds.record import (
    PRODUCT_SCALE,
    error_limits,
    expected_start,
    measured,
    record_of,
    require_facts,
)
from protocol.types import RoundAttempt
from tests.support.roles.checked_attempt import AT, measuring

WORLD, WIDTHS = measuring().world, measuring().world.widths.moments
SETS = WORLD.exchange.sets
WEIGHT = sum(measuring().attempt.weights.values())
LATER = WORLD.link.model_copy(
    update={"round": 1, "mse_after": FIXED_POINT // 4, "left": FIXED_POINT // 4, "best": FIXED_POINT // 5}
)


def at_scale(error: float) -> int:
    """An error as it stands in a slot."""
    return int(error * 2**60) * WEIGHT << (PRODUCT_SCALE - 60)


def opened(*errors: float, extra: int = 0) -> list[int]:
    """Plaintexts with these errors in the slots, the first start's before q and c of each trainer."""
    values, plaintexts = [at_scale(one) for one in errors], []
    for one in SETS:
        taken, values = values[: one.slots], values[one.slots :]
        total = sum(WIDTHS.at(slot, value) for slot, value in enumerate(taken)) + WIDTHS.offset(one)
        plaintexts.append(total)
    plaintexts[-1] += extra
    return plaintexts


def record(*errors: float, extra: int = 0, **changes: Any) -> RoundRecord | None:
    known = {"request": WORLD.request, "parties": WORLD.parties, "widths": WIDTHS, "link": WORLD.link}
    facts = measuring().attempt.facts
    return record_of(facts, opened(*errors, extra=extra), training=1, at=AT, **{**known, **changes})


HONEST = (0.5, 0.3, 0.5, 0.2, 0.3)


def test_errors_are_means_over_the_members_weight() -> None:
    found = record(*HONEST)
    assert found is not None
    assert found.mse_before == FIXED_POINT // 2
    assert [one / FIXED_POINT for one in found.own] == pytest.approx([0.3, 0.2], abs=1e-12)
    assert [one / FIXED_POINT for one in found.cross] == pytest.approx([0.5, 0.3], abs=1e-12)
    assert found.model_digest == found.delivered_digest == measuring().attempt.facts.digests.model
    assert not found.last


@pytest.mark.parametrize(
    "errors",
    [
        (0.5, -0.3, 0.5, 0.2, 0.3),
        (0.5, 0.3, 0.5, 4.1, 0.3),
        (0.5, 0.3, 8.2, 0.2, 0.3),
        (0.5, 0.3, -8.2, 0.2, 0.3),
        (4.1, 0.3, 0.5, 0.2, 0.3),
        (-0.5, 0.3, 0.5, 0.2, 0.3),
        (0.0, 0.3, 0.5, 0.2, 0.3),
        (0.5, 0.3, -0.5, 0.2, -0.5),
        (0.5, 0.3, 0.5, 2.0**40, 0.3),
    ],
)
def test_no_record_of_errors_that_cannot_be(errors: tuple[float, ...]) -> None:
    """A start at zero errs by less than (1 + 0)²; a trainer's error may be four times that."""
    assert record(*errors) is None


def test_nothing_above_the_slots_is_published() -> None:
    assert record(*HONEST, extra=1 << WIDTHS.products.slot_bits * SETS[-1].slots) is None


def test_rounding_of_a_perfect_model_is_no_negative_error() -> None:
    found = record(0.5, -5e-15, 1e-13, 0.0, 1e-13)
    assert found is not None
    assert found.own == (0, 0)


def test_later_rounds_are_held_against_the_start_and_the_best_error() -> None:
    sums = measured(opened(*HONEST), SETS, WIDTHS, Start.PUBLIC)
    assert sums is not None
    unmeasured = type(sums)(None, sums.own, sums.cross)
    limits = error_limits(unmeasured, WEIGHT, WORLD.request, LATER)
    assert limits.own == pytest.approx(at_scale(1.0), rel=1e-9)
    assert limits.cross == pytest.approx(at_scale(2.0), rel=1e-9)
    better = LATER.model_copy(update={"best": FIXED_POINT // 2})
    assert error_limits(unmeasured, WEIGHT, WORLD.request, better).own == pytest.approx(
        at_scale(2.0), rel=1e-9
    )
    newly = type(sums)(at_scale(0.75), sums.own, sums.cross)
    assert error_limits(newly, WEIGHT, WORLD.request, LATER).own == pytest.approx(at_scale(3.0), rel=1e-9)


def test_how_a_start_is_measured() -> None:
    members = WORLD.parties.validators
    assert expected_start(WORLD.link, members) is Start.PUBLIC
    same = LATER.model_copy(update={"validators": members})
    assert expected_start(same, members) is Start.UNMEASURED
    assert expected_start(same, members & ~4) is Start.ENCRYPTED


def test_honest_facts_pass() -> None:
    require_facts(measuring().attempt.facts, WORLD.parties, WORLD.link, AT)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trainers": 0b101}, "not_a_trainer"),
        ({"trainers": 0b1}, "not_a_trainer"),
        ({"members": 0b11110}, "not_a_validator"),
        ({"members": 0b00100}, "too_few_validators"),
        ({"metrics": (b"m" * 32,) * 2}, "too_few_metrics"),
        ({"start": "unmeasured"}, "wrong_start_measurement"),
        ({"start": "encrypted"}, "wrong_start_measurement"),
        ({"start_digest": b"s" * 32}, "wrong_start_model"),
        ({"updates": (b"u" * 32,) * 3}, "updates_out_of_order"),
        ({"model": WORLD.link.model_digest}, "model_of_an_earlier_round"),
    ],
)
def test_facts_that_do_not_fit_the_chain_of_rounds(changes: dict[str, Any], code: str) -> None:
    facts: AttemptFacts = measuring().attempt.facts
    inner = {"start_digest": "start", "updates": "updates", "model": "model"}
    digests = {inner[name]: value for name, value in changes.items() if name in inner}
    outer = {name: value for name, value in changes.items() if name not in inner}
    other = facts.model_copy(update={**outer, "digests": facts.digests.model_copy(update=digests)})
    with pytest.raises(ProtocolViolation) as caught:
        require_facts(other, WORLD.parties, WORLD.link, AT)
    assert caught.value.code == code


def test_facts_of_another_round() -> None:
    for number in (0, 2):
        with pytest.raises(ProtocolViolation, match="round_out_of_order"):
            require_facts(measuring().attempt.facts, WORLD.parties, WORLD.link, RoundAttempt(number, 1))


def test_more_than_half_of_the_drawn_must_measure() -> None:
    two = measuring().attempt.facts.model_copy(update={"members": 0b01100, "metrics": (b"m" * 32,) * 2})
    require_facts(two, WORLD.parties, WORLD.link, AT)
    four = replace(WORLD.parties, seats=(*WORLD.parties.seats, "0x" + "ee" * 20), validators=0b111100)
    with pytest.raises(ProtocolViolation, match="too_few_validators"):
        require_facts(two, four, WORLD.link, AT)
