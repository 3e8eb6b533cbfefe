"""Arithmetic by halves against Python's own: the same numbers, whatever they are."""

from collections.abc import Iterator

import pytest
from gmpy2 import mpz, next_prime
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.paillier import FixedBaseTable
from protocol.crypto.powers import PowerTables, batch_invert, public_power
from protocol.crypto.residues import LEAST_HALF_BITS, HalvedResidues, PlainResidues, residues
from tests.support.native_kernel import kernel_in_use

ROOT = next_prime(mpz(2) ** LEAST_HALF_BITS)
SQUARE = ROOT * ROOT
ENDS = st.sampled_from([0, 1, 2, int(ROOT) - 1, int(ROOT), int(ROOT) + 1, int(SQUARE) - 1])
NUMBERS = st.one_of(ENDS, st.integers(0, int(SQUARE) - 1))


@pytest.fixture(autouse=True, scope="module")
def _by_gmp() -> Iterator[None]:
    """Whatever a process computes by that has run daemons before."""
    with kernel_in_use(None):
        yield


def test_a_square_of_a_long_number_is_multiplied_by_halves_and_nothing_else():
    assert isinstance(residues(SQUARE), HalvedResidues)
    assert residues(SQUARE).modulus == SQUARE
    for other in (SQUARE + 2, ROOT, (ROOT >> 2) ** 2, mpz(9)):
        assert isinstance(residues(other), PlainResidues), other


@given(NUMBERS, NUMBERS)
def test_a_product_by_halves_is_the_product(first: int, second: int) -> None:
    within = residues(SQUARE)
    assert within.leave(within.enter(mpz(first))) == first
    product = within.multiply(within.enter(mpz(first)), within.enter(mpz(second)))
    assert within.leave(product) == first * second % SQUARE


@settings(max_examples=40)
@given(st.dictionaries(st.integers(0, 40), st.lists(NUMBERS, max_size=3), max_size=4), st.booleans())
def test_a_chain_is_the_product_of_its_powers(factors: dict[int, list[int]], plain: bool) -> None:
    within = PlainResidues(SQUARE) if plain else residues(SQUARE)
    expected = mpz(1)
    for position, numbers in factors.items():
        for number in numbers:
            expected = expected * pow(number, 1 << position, int(SQUARE)) % SQUARE
    entered = {place: [within.enter(mpz(one)) for one in numbers] for place, numbers in factors.items()}
    assert within.leave(within.chain(entered)) == expected


@settings(max_examples=15)
@given(st.lists(NUMBERS.filter(lambda one: one % int(ROOT) != 0), max_size=3), st.sampled_from([2, 3, 5]))
def test_powers_in_tables_are_powers_and_multiply_as_any_number(units: list[int], window: int) -> None:
    within = residues(SQUARE)
    tables = within.signed_powers([within.enter(mpz(unit)) for unit in units], window)
    for unit, table in zip(units, tables, strict=True):
        assert sorted(table) == list(range(1 - (1 << (window - 1)), 1 << (window - 1), 2))
        for digit, power in table.items():
            assert within.leave(power) == pow(unit, digit, int(SQUARE))
            assert within.leave(within.multiply(power, power)) == pow(unit, 2 * digit, int(SQUARE))


@pytest.mark.parametrize("modulus", [SQUARE, mpz(1009)])
def test_of_a_number_that_is_no_unit_there_is_no_table(modulus: mpz) -> None:
    within = residues(modulus)
    bases = [within.enter(mpz(2)), within.enter(modulus - ROOT if modulus == SQUARE else mpz(0))]
    with pytest.raises(ZeroDivisionError):
        within.signed_powers(bases, 3)


@settings(max_examples=20)
@given(st.lists(st.tuples(NUMBERS, st.integers(-(1 << 200), 1 << 200)), min_size=1, max_size=3))
def test_powers_over_a_square_are_pythons(pairs: list[tuple[int, int]]) -> None:
    modulus, units = int(SQUARE), [(base, exponent) for base, exponent in pairs if base % int(ROOT)]
    expected = 1
    for base, exponent in units:
        expected = expected * pow(base, exponent, modulus) % modulus
    tables = PowerTables([mpz(base) for base, _ in units], SQUARE, 4)
    assert tables.product([exponent for _, exponent in units]) == expected


@settings(max_examples=20)
@given(NUMBERS, st.integers(0, 1 << 300), st.sampled_from([SQUARE, ROOT, mpz(1009)]))
def test_a_public_power_of_any_number_is_pythons(base: int, exponent: int, modulus: mpz) -> None:
    assert public_power(mpz(base), exponent, modulus) == pow(base, exponent, int(modulus))


def test_inverses_and_fixed_bases_over_a_square_are_pythons():
    units = [mpz(2), ROOT + 2, SQUARE - 2]
    assert [u * i % SQUARE for u, i in zip(units, batch_invert(units, SQUARE), strict=True)] == [1, 1, 1]
    with pytest.raises(ZeroDivisionError):
        batch_invert([mpz(2), ROOT], SQUARE)
    table = FixedBaseTable(ROOT + 2, SQUARE, 130, window=3)
    for exponent in (0, 1, 12345678901234567890, (1 << 130) - 1):
        assert table.power(exponent) == pow(int(ROOT) + 2, exponent, int(SQUARE))
