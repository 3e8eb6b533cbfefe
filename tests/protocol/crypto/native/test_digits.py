"""Digits against the exponents that they are of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.native.digits import (
    LANES,
    SECRET_WINDOW,
    expected_multiplications,
    fixed_digits,
    public_steps,
    secret_digits,
    shared_window,
    signed_digits,
    signed_positions,
)
from protocol.errors import MisuseError

EXPONENTS = st.one_of(st.integers(0, 70), st.integers(0, 1 << 600))
SIGNED = st.one_of(st.sampled_from([0, 1, -1]), st.integers(-(1 << 90), 1 << 90))


@settings(max_examples=40)
@given(EXPONENTS)
def test_the_steps_of_a_public_power_make_its_exponent(exponent: int) -> None:
    steps, made = public_steps(exponent), 0
    for squarings, digit in zip(steps.squarings, steps.digits, strict=True):
        made = (made << squarings) + max(0, 2 * digit - 1)
    assert made == exponent
    assert max(steps.digits) <= steps.odd_powers <= 128
    assert sum(steps.squarings) <= max(0, exponent.bit_length() - 1)


@settings(max_examples=40)
@given(st.lists(EXPONENTS, max_size=LANES))
def test_digits_of_secrets_are_the_exponents_lane_by_lane(exponents: list[int]) -> None:
    digits, made = secret_digits(exponents), [0] * LANES
    for at, digit in enumerate(digits):
        made[at % LANES] = (made[at % LANES] << SECRET_WINDOW) + digit
    assert made == exponents + [0] * (LANES - len(exponents))


def test_as_many_digits_whatever_the_secrets_of_a_length_are() -> None:
    lengths = {len(secret_digits([one, 5])) for one in (1 << 99, (1 << 100) - 1, (1 << 99) + 12345)}
    assert lengths == {LANES * 20}


@settings(max_examples=40)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(SIGNED, min_size=n, max_size=n), min_size=1, max_size=LANES)
    ),
    st.integers(2, 6),
)
def test_signed_digits_are_the_exponents_base_by_base(rows: list[list[int]], window: int) -> None:
    bits = max(abs(one).bit_length() for row in rows for one in row)
    positions, bases = signed_positions(bits, window), len(rows[0])
    digits = signed_digits(rows, window, positions)
    assert len(digits) == positions * bases * LANES
    made = [[0] * bases for _ in range(LANES)]
    for at, digit in enumerate(digits):
        base, lane = at // LANES % bases, at % LANES
        made[lane][base] = (made[lane][base] << window) + digit - (1 << (window - 1))
    assert made == rows + [[0] * bases] * (LANES - len(rows))


@settings(max_examples=40)
@given(st.integers(0, 700), st.integers(2, 6))
def test_the_ends_of_a_length_fit_its_positions_and_no_fewer_do(bits: int, window: int) -> None:
    positions, most = signed_positions(bits, window), (1 << bits) - 1
    assert len(signed_digits([[most], [-most]], window, positions)) == positions * LANES
    if positions > 1:
        with pytest.raises(MisuseError):
            signed_digits([[most]], window, positions - 1)


@settings(max_examples=40)
@given(st.lists(st.integers(0, (1 << 40) - 1), min_size=1, max_size=LANES), st.integers(1, 6))
def test_fixed_digits_are_the_exponents_from_the_lowest_on(exponents: list[int], window: int) -> None:
    digits = fixed_digits(exponents, window, rows=40)
    made = [
        sum(digit << (window * row) for row, digit in enumerate(digits[lane::LANES])) for lane in range(LANES)
    ]
    assert made == exponents + [0] * (LANES - len(exponents))


@pytest.mark.parametrize("bad", [-1, 1 << 20])
def test_an_exponent_that_does_not_fit_is_refused_and_not_shown(bad: int) -> None:
    with pytest.raises(MisuseError, match="more than 4 digits of 5 bits") as told:
        fixed_digits([3, bad], 5, rows=4)
    assert str(bad) not in str(told.value)


def test_more_rows_pay_for_wider_windows() -> None:
    windows = [shared_window(11, rows, 128) for rows in (4, 64, 512)]
    assert windows == sorted(windows)
    assert windows[0] < windows[-1]
    assert expected_multiplications(11, 8, 40, 4) == (2 << 4) + 10 * 4 + 11 * 11
