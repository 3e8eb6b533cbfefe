"""Fixed point against exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.fixed_point import decode, encode, encode_matrix, encode_number
from protocol.errors import MisuseError

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(FLOATS, st.integers(-40, 200))
def test_encoding_rounds_the_exact_value(value: float, scale: int) -> None:
    assert encode_number(value, scale) == round(Fraction(value) * Fraction(2) ** scale)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (-0.75, -1), (-0.0, 0)]
)
def test_ties_go_to_even_on_both_sides_of_zero(value: float, expected: int) -> None:
    assert encode_number(value, 0) == expected


@given(st.lists(st.floats(-1e9, 1e9), max_size=6), st.integers(0, 144))
def test_decoding_is_within_half_a_unit(values: list[float], scale: int) -> None:
    decoded = decode(encode(values, scale), scale)
    for value, result in zip(values, decoded, strict=True):
        assert abs(value - result) <= math.ldexp(0.5, -scale) + math.ulp(value)


@given(st.floats(-1e9, 1e9))
def test_the_range_of_models_loses_nothing_at_a_fine_scale(value: float) -> None:
    # 2^−1074 is the finest float: at that scale encoding is exact.
    assert decode([encode_number(value, 1074)], 1074)[0] == value


def test_one_scale_serves_a_whole_matrix() -> None:
    matrix = np.array([[1.0, -0.25], [1e6, 2.0**-40]])
    assert encode_matrix(matrix, 40) == [[1 << 40, -(1 << 38)], [10**6 << 40, 1]]
    assert encode_matrix(matrix[0], 1) == [[2, 0]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(MisuseError, match=f"{value} cannot be encoded"):
        encode([1.0, value], 40)
