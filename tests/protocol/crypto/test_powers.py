"""Products of powers against Python's own."""

from itertools import pairwise
from math import prod

import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from protocol.crypto.powers import PowerTables, batch_invert, product_of_powers, sliding_digits, window_for

PRIME = (1 << 127) - 1
COEFFICIENTS = st.one_of(
    st.just(0), st.integers(-10, 10), st.integers(-(1 << 41), 1 << 41), st.integers(-(1 << 600), 1 << 600)
)
POWERS = st.lists(st.tuples(st.integers(1, PRIME - 1), COEFFICIENTS), max_size=5)


def expected(pairs: list[tuple[int, int]]) -> int:
    return prod(pow(base, exponent, PRIME) for base, exponent in pairs) % PRIME


@given(POWERS)
def test_products_of_powers_of_either_sign(pairs: list[tuple[int, int]]) -> None:
    bases, exponents = [mpz(base) for base, _ in pairs], [exponent for _, exponent in pairs]
    assert product_of_powers(bases, exponents, mpz(PRIME)) == expected(pairs)


@given(POWERS, st.integers(2, 8), st.integers(-(1 << 200), 1 << 200))
def test_tables_serve_many_products(pairs: list[tuple[int, int]], window: int, factor: int) -> None:
    tables = PowerTables([mpz(base) for base, _ in pairs], mpz(PRIME), window)
    assert tables.product([exponent for _, exponent in pairs]) == expected(pairs)
    assert tables.product([exponent * factor for _, exponent in pairs]) == pow(expected(pairs), factor, PRIME)


def test_there_is_an_exponent_for_each_base() -> None:
    with pytest.raises(ValueError, match="zip"):
        product_of_powers([mpz(2), mpz(3)], [1], mpz(7))


def test_longer_exponents_and_more_products_pay_for_larger_tables() -> None:
    windows = [window_for(bits, products) for bits, products in ((2, 1), (128, 1), (128, 10), (600, 10))]
    assert windows == sorted(set(windows))


@given(COEFFICIENTS, st.integers(2, 8))
def test_sliding_digits_are_the_number_and_stand_a_window_apart(value: int, window: int) -> None:
    digits = sliding_digits(value, window)
    assert sum(digit << position for position, digit in digits) == value
    assert all(digit % 2 and abs(digit) < 1 << (window - 1) for _, digit in digits)
    positions = [position for position, _ in digits]
    assert all(later - earlier >= window for earlier, later in pairwise(positions))


@given(st.lists(st.integers(1, 1 << 200), max_size=8))
def test_batched_inverses(values: list[int]) -> None:
    modulus = mpz((1 << 521) - 1)
    units = [mpz(value) for value in values]
    assert [u * i % modulus for u, i in zip(units, batch_invert(units, modulus), strict=True)] == [1] * len(
        units
    )


def test_an_element_without_inverse_gives_no_result() -> None:
    with pytest.raises(ZeroDivisionError):
        batch_invert([mpz(2), mpz(5), mpz(3)], mpz(15))
