"""Numbers that stand together: the same, whichever arithmetic is in use."""

import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.native import batch
from protocol.crypto.native.batch import public_powers, rows_of_powers, secret_powers
from protocol.crypto.native.in_use import LEAST_LANES, kernel_for, use_kernel
from protocol.crypto.paillier import FixedBaseTable, PrivateKey
from protocol.errors import MisuseError
from tests.support.cipher_computations import COMPUTATIONS
from tests.support.native_kernel import PythonKernel, kernel_in_use

PRIME = mpz((1 << 127) - 1)
MERSENNE = mpz((1 << 521) - 1)
COEFFICIENTS = st.one_of(st.sampled_from([0, 1, -1]), st.integers(-(1 << 90), 1 << 90))
ROWS = st.integers(0, 3).flatmap(
    lambda n: st.lists(st.lists(COEFFICIENTS, min_size=n, max_size=n), min_size=1, max_size=18)
)


@settings(max_examples=12)
@given(st.lists(st.integers(0, 1 << 140), max_size=20), st.integers(0, 1 << 90))
def test_public_powers_are_pythons(bases: list[int], exponent: int) -> None:
    with kernel_in_use(kernel := PythonKernel()):
        found = public_powers([mpz(one) for one in bases], exponent, PRIME)
    assert found == [pow(one, exponent, int(PRIME)) for one in bases]
    assert sum(count for _, count in kernel.calls) == len(bases) - (
        len(bases) % 8 if len(bases) % 8 < LEAST_LANES else 0
    )


@settings(max_examples=12)
@given(
    st.lists(st.tuples(st.integers(0, 1 << 200), st.integers(1, 1 << 90), st.sampled_from([PRIME, MERSENNE])))
)
def test_secret_powers_are_pythons_modulo_each_ones_own(triples: list[tuple[int, int, mpz]]) -> None:
    bases, exponents, moduli = ([one[at] for one in triples] for at in range(3))
    with kernel_in_use(PythonKernel()):
        found = secret_powers(list(map(mpz, bases)), list(map(mpz, exponents)), moduli)
    assert found == [pow(base, e, int(modulus)) for base, e, modulus in triples]


@settings(max_examples=12)
@given(ROWS)
def test_rows_of_powers_are_what_gmp_makes(rows: list[list[int]]) -> None:
    bases = [mpz(at + 2) for at in range(len(rows[0]))]
    by_gmp = rows_of_powers(bases, rows, PRIME)
    with kernel_in_use(PythonKernel()):
        assert rows_of_powers(bases, rows, PRIME) == by_gmp


def test_more_bases_than_a_table_has_room_for_are_multiplied_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bases, rows = [mpz(at + 2) for at in range(8)], [[at * row - 9 for at in range(8)] for row in range(5)]
    with kernel_in_use(None):
        by_gmp = rows_of_powers(bases, rows, PRIME)
    monkeypatch.setattr(batch, "MOST_BASES", 3)
    with kernel_in_use(kernel := PythonKernel()):
        assert rows_of_powers(bases, rows, PRIME) == by_gmp
    assert [count for name, count in kernel.calls if name == "table"] == [3, 3, 2]


@pytest.mark.parametrize("kernel", [None, PythonKernel()], ids=["gmp", "kernel"])
def test_what_cannot_be_raised_is_refused_either_way(kernel: PythonKernel | None) -> None:
    with kernel_in_use(kernel):
        with pytest.raises(ValueError, match="each of 2 bases"):
            rows_of_powers([mpz(2), mpz(3)], [[1, 2], [1]] * 5, PRIME)
        with pytest.raises(ZeroDivisionError):
            rows_of_powers([mpz(3)], [[1]] * 5, mpz(15))
        table = FixedBaseTable(mpz(3), PRIME, 60)
        for bad in (-1, 1 << 60):
            with pytest.raises(MisuseError, match="the tables take"):
                table.powers([1, 2, 3, bad])


def test_few_numbers_and_moduli_that_a_kernel_does_not_take_are_gmps() -> None:
    assert kernel_for(PRIME, 8) is None
    kernel = PythonKernel(least_bits=200)
    with kernel_in_use(kernel):
        assert kernel_for(MERSENNE, LEAST_LANES) is kernel
        assert kernel_for(MERSENNE, LEAST_LANES - 1) is None
        assert kernel_for(PRIME, 8) is None
        assert kernel_for(MERSENNE + 1, 8) is None
        use_kernel(None)
        assert kernel_for(MERSENNE, 8) is None


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_the_cipher_s_numbers_are_the_same_by_a_kernel(private_key: PrivateKey, name: str) -> None:
    compute = COMPUTATIONS[name]
    with kernel_in_use(None):
        by_gmp = compute(private_key)
    with kernel_in_use(kernel := PythonKernel()):
        assert compute(private_key) == by_gmp
    assert kernel.calls
