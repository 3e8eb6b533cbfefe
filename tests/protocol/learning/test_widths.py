"""Slot widths at the ends of every range, and refusals before anything could overflow."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import WidthError
from protocol.learning.scales import CARRY_BITS, METRIC_SCALE, NOISE_BITS, RESIDUAL_SCALE, UPDATE_SCALE
from protocol.learning.widths import Widths

REQUEST: dict[str, Any] = {
    "key_bits": 3072,
    "parameters": 11,
    "trainers": 3,
    "validators": 2,
    "weight_bits": 24,
    "residual_bits": 24,
    "rows": 177,
}


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "key_bits": draw(st.sampled_from([1024, 2048, 3072])),
        "parameters": draw(st.integers(1, 4097)),
        "trainers": draw(st.integers(2, 200)),
        "validators": draw(st.integers(2, 77)),
        "weight_bits": draw(st.integers(4, 64)),
        "residual_bits": draw(st.integers(4, 64)),
        "rows": draw(st.one_of(st.integers(1, 1000), st.integers(1, 1 << 62))),
    }


@given(requests())
def test_the_ends_of_every_range_fit(request: dict[str, Any]) -> None:
    widths = Widths.fit(**request)
    update = request["trainers"] << (UPDATE_SCALE + request["weight_bits"])
    residual = 1 << (RESIDUAL_SCALE + request["residual_bits"])
    for layout, extreme in ((widths.refresh, update), (widths.residual, residual)):
        for value in (-extreme, extreme):
            assert 0 <= value + layout.offset <= 1 << (layout.slot_bits - CARRY_BITS)
        assert layout.per_plaintext * layout.slot_bits + CARRY_BITS <= request["key_bits"]
    error = request["rows"] << (METRIC_SCALE + 2 * request["residual_bits"])
    metric = request["trainers"] * error + (error >> NOISE_BITS)
    opening = widths.opening
    assert metric < opening.offset
    assert opening.offset - metric > 0
    assert metric + opening.offset < 1 << opening.slot_bits
    assert opening.per_plaintext * opening.slot_bits + 2 <= request["key_bits"]


def test_the_widths_of_the_diabetes_training() -> None:
    widths = Widths.fit(**REQUEST)
    assert widths.refresh.slot_bits == 64 + 40 + 24 + 2 + 1 + 64
    assert widths.residual.slot_bits == 64 + 80 + 24 + 1 + 64
    # ⌈log₂(12·3·177)⌉ = 13
    assert widths.opening.slot_bits == 2 * 144 + 2 * 24 + 13 + 2
    layouts = (widths.refresh, widths.residual, widths.opening)
    assert [layout.per_plaintext for layout in layouts] == [15, 12, 8]


def test_a_key_that_just_fits_and_one_a_bit_too_short() -> None:
    needed = 2 * 144 + 2 * 24 + 13 + 2 + 2
    assert Widths.fit(**{**REQUEST, "key_bits": needed}).opening.per_plaintext == 1
    with pytest.raises(
        WidthError, match=f"needs {needed - 2} bits and 2 spare ones, but the key has {needed - 1}"
    ):
        Widths.fit(**{**REQUEST, "key_bits": needed - 1})


@pytest.mark.parametrize("key_bits", [256, 320])
def test_masked_slots_are_refused_too(key_bits: int) -> None:
    with pytest.raises(WidthError, match="longer key or smaller bounds"):
        Widths.fit(**{**REQUEST, "key_bits": key_bits, "weight_bits": 64})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"trainers": 1}, "1 trainers, 2 validators and 177 rows; at least 2, 2 and 1"),
        ({"validators": 1}, "3 trainers, 1 validators"),
        ({"rows": 0}, "0 rows"),
    ],
)
def test_too_few_parties_or_rows_are_refused(change: dict[str, int], text: str) -> None:
    with pytest.raises(WidthError, match=text):
        Widths.fit(**{**REQUEST, **change})


@given(st.integers(1, 256))
def test_a_divisor_says_how_many_updates(trainers: int) -> None:
    widths = Widths.fit(**REQUEST)
    assert widths.divisor(trainers) == trainers * 2**40
    assert widths.trainers_of(widths.divisor(trainers)) == trainers
    assert widths.trainers_of(widths.divisor(trainers) + 1) == 0


def test_numbers_opened_in_a_round() -> None:
    widths = Widths.fit(**REQUEST)
    assert widths.metric_count(3, start=True) == 7
    assert widths.metric_count(3, start=False) == 6
