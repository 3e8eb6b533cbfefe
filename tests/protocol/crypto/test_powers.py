"""Products of powers against Python's own."""

from itertools import pairwise
from math import prod

import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.powers import (
    MOST_KEPT_BASES,
    PowerTables,
    batch_invert,
    expected_products,
    fitting_tables,
    joint_product,
    product_of_powers,
    sliding_digits,
    tables_if_kept,
    tables_of_inputs,
    window_for,
)
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError
from tests.support.product_count import ProductCount

PRIME = (1 << 127) - 1
COEFFICIENTS = st.one_of(
    st.just(0), st.integers(-10, 10), st.integers(-(1 << 41), 1 << 41), st.integers(-(1 << 600), 1 << 600)
)
POWERS = st.lists(st.tuples(st.integers(1, PRIME - 1), COEFFICIENTS), max_size=5)


def expected(pairs: list[tuple[int, int]]) -> int:
    return prod(pow(base, exponent, PRIME) for base, exponent in pairs) % PRIME


@settings(max_examples=40)
@given(POWERS)
def test_products_of_powers_of_either_sign(pairs: list[tuple[int, int]]) -> None:
    bases, exponents = [mpz(base) for base, _ in pairs], [exponent for _, exponent in pairs]
    assert product_of_powers(bases, exponents, mpz(PRIME)) == expected(pairs)


@settings(max_examples=40)
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


@pytest.mark.parametrize(
    ("step", "bases", "rows", "bits"),
    [
        ("a trainer's update, 11 weights", 11, 11, 40),
        ("its proof's announcement", 11, 1, 364),
        ("rows folded into one", 11, 1, 128),
        ("a metric of 78 products", 77, 1, 65),
        ("its proof's announcement", 77, 1, 257),
    ],
)
def test_the_steps_of_a_round_take_as_many_products_as_expected(
    monkeypatch: pytest.MonkeyPatch, step: str, bases: int, rows: int, bits: int
) -> None:
    stream, count = Randomness(step.encode().ljust(32)[:32]), ProductCount()
    count.install(monkeypatch)
    tables = PowerTables([mpz(stream.bits(120) + 1) for _ in range(bases)], mpz(PRIME), 5)
    for _ in range(rows):
        assert tables.product([stream.bits(bits) - (1 << (bits - 1)) for _ in range(bases)])
    assert count.total == pytest.approx(expected_products(bases, rows, bits, window=5), rel=0.1)


@given(st.lists(st.integers(1, 1000), max_size=5), st.integers(1, 70), st.integers(-(1 << 99), 1 << 99))
def test_powers_of_two_share_the_squarings_of_a_power_and_have_no_tables(
    shifted: list[int], shift: int, exponent: int
) -> None:
    powers = [1 << shift * place for place in range(len(shifted))]
    expected = pow(7, exponent, 1009) * prod(
        pow(one, power, 1009) for one, power in zip(shifted, powers, strict=True)
    )
    bases = [mpz(7), *map(mpz, shifted)]
    with pytest.MonkeyPatch.context() as patch:
        count = ProductCount()
        count.install(patch)
        assert product_of_powers(bases, [exponent, *powers], mpz(1009)) == expected % 1009
        together = count.total
        product_of_powers(bases[:1], [exponent], mpz(1009))
    chain = max([0, *(power.bit_length() for power in powers)])
    assert together <= count.total - together + len(shifted) + chain


@given(st.integers(1, 1 << 130), st.integers(0, 3000))
def test_zeros_at_the_end_make_no_exponent_longer(exponent: int, zeros: int) -> None:
    ((short, _),) = fitting_tables([mpz(5)], [exponent], mpz(PRIME))
    ((long, powers),) = fitting_tables([mpz(5)], [-exponent << zeros], mpz(PRIME))
    assert long.window == short.window
    assert joint_product([(long, powers)]) == pow(pow(5, -1, PRIME), exponent << zeros, PRIME)


def test_a_process_keeps_the_tables_of_its_last_inputs_and_no_large_ones() -> None:
    modulus = mpz(10007)
    first = tables_of_inputs([mpz(2), mpz(3)], modulus, 4)
    assert tables_of_inputs([mpz(2), mpz(3)], modulus, 4) is first
    assert tables_of_inputs([mpz(2), mpz(3)], modulus, 5) is not first
    assert tables_of_inputs([mpz(2), mpz(5)], modulus, 4) is not first
    assert tables_if_kept([mpz(2), mpz(3)], modulus, 4) is first
    for base in range(7, 13):
        tables_of_inputs([mpz(base)], modulus, 4)
    assert tables_of_inputs([mpz(2), mpz(3)], modulus, 4) is not first
    large = [mpz(2)] * (MOST_KEPT_BASES + 1)
    assert tables_of_inputs(large, modulus, 2) is not tables_of_inputs(large, modulus, 2)
    assert tables_if_kept(large, modulus, 2) is None


@given(POWERS, POWERS, POWERS, st.integers(2, 6))
def test_kept_tables_and_parts_of_them_multiply_with_what_has_none(
    before: list[tuple[int, int]], kept: list[tuple[int, int]], others: list[tuple[int, int]], window: int
) -> None:
    tables = PowerTables([mpz(base) for base, _ in (*before, *kept)], mpz(PRIME), window).part(
        slice(len(before), len(before) + len(kept))
    )
    bases, exponents = [mpz(base) for base, _ in others], [exponent for _, exponent in others]
    found = product_of_powers(bases, exponents, mpz(PRIME), [(tables, [exponent for _, exponent in kept])])
    assert found == expected(others) * expected(kept) % PRIME


@settings(max_examples=30)
@given(POWERS, POWERS)
def test_tables_multiply_in_one_chain(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    parts = [
        (PowerTables([mpz(base) for base, _ in pairs], mpz(PRIME), window), [one for _, one in pairs])
        for pairs, window in ((first, 3), (second, 5))
    ]
    assert joint_product(parts) == expected(first) * expected(second) % PRIME


def test_tables_of_two_moduli_have_no_product() -> None:
    parts = [(PowerTables([mpz(2)], mpz(modulus), 3), [1]) for modulus in (PRIME, 1009)]
    with pytest.raises(MisuseError, match="two moduli"):
        joint_product(parts)
