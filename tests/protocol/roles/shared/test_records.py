"""The record of a round is one that the contract takes, and another round can follow it where it says so."""

from collections.abc import Sequence

import pytest

from protocol.crypto.cipher import pack_plain
from protocol.learning.scales import METRIC_SCALE
from protocol.learning.widths import Widths
from protocol.records import FIXED_POINT, METRIC_BOUND, RoundRecord
from protocol.roles.shared.metric_check import CheckedMetrics, build_record
from protocol.roles.shared.transcript import TranscriptHead
from tests.support.deployment.documents import any_request

DIGEST = b"\1" * 32
REQUEST = any_request(schedule={"rounds": 20, "step_size": 1, "tolerance": "0"})
WIDTHS = Widths.fit(
    key_bits=2048, parameters=3, trainers=2, validators=3, weight_bits=20, residual_bits=60, rows=1
)
"""Slots in which an error beyond the contract's bound has room."""
LINK = TranscriptHead(
    round=1, mse_after=70, left=1, delivered=DIGEST, best=1, validators=0b1100, model_digest=DIGEST,
    transcript=DIGEST,
)  # fmt: skip


def record_of(errors: Sequence[int], link: TranscriptHead = LINK) -> RoundRecord | None:
    """From v₀, the q of two trainers and their c, as other validators than before measured them."""
    checked = CheckedMetrics(
        training=1, round=2, attempt=1, trainers=0b11, validators=0b10100, rows=1, measure_start=True,
        start_digest=DIGEST, updates=(), refreshed_digest=b"\2" * 32, transcript=DIGEST, products=(),
    )  # fmt: skip
    layout = WIDTHS.opening
    digits = [layout.offset - (-(error << METRIC_SCALE) // FIXED_POINT) for error in errors]
    chunks = layout.chunks(len(digits))
    plaintexts = [int(pack_plain(digits[chunk.start : chunk.stop], layout)) for chunk in chunks]
    return build_record(checked, plaintexts, request=REQUEST, widths=WIDTHS, link=link)


def test_a_round_after_which_nothing_is_left_of_the_first_error_is_the_last() -> None:
    """No other could be recorded: the buyer would pay for all of it and get no model."""
    record = record_of((100, 60, 60, 100, 100))
    assert record is not None
    assert (record.mse_before, record.own, record.cross) == (100, (60, 60), (100, 100))
    assert LINK.next(record).left == 0
    assert record.last


def test_a_round_that_leaves_something_is_not() -> None:
    record = record_of((100, 60, 60, 100, 100), LINK.model_copy(update={"left": 2}))
    assert record is not None
    assert not record.last


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("excess", [0, 1])
def test_an_error_at_the_contracts_bound_is_implausible(place: int, excess: int) -> None:
    errors = [100, 60, 60, 100, 100]
    errors[place] = METRIC_BOUND - 1 + excess
    if place > 2:
        errors[0] = METRIC_BOUND - 1  # else too much would be left
    assert (record_of(errors) is None) is bool(excess)
