"""Numbers that stand together: the same, whichever arithmetic is in use."""

from collections.abc import Callable
from typing import Any

import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.blinding import ShortExponentBlinder
from protocol.crypto.native import batch
from protocol.crypto.native.batch import (
    LEAST_LANES,
    kernel_for,
    public_powers,
    rows_of_powers,
    secret_powers,
    use_kernel,
)
from protocol.crypto.opening import Opening, false_openings, open_ciphertexts
from protocol.crypto.packing import Mask, SlotLayout, pack, pack_blinded
from protocol.crypto.paillier import FixedBaseTable, PrivateKey
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError
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


def _stream() -> Randomness:
    return Randomness(b"n" * 32)


def _ciphertexts(private: PrivateKey) -> list[mpz]:
    return private.encrypt_all(range(1, 12), _stream())


def _packed(private: PrivateKey) -> list[mpz]:
    layout = SlotLayout(100, 1 << 40, 2)
    roots = [mpz(at + 3) for at in range(6)]
    mask = Mask.draw(private.public_key, 6, _stream())
    found = pack(private.public_key, _ciphertexts(private), layout)
    return found + pack_blinded(private.public_key, _ciphertexts(private), layout, mask, roots)


def _false(private: PrivateKey) -> tuple[int, ...]:
    ciphertexts = _ciphertexts(private)
    openings = open_ciphertexts(private, ciphertexts)
    openings[3] = Opening(openings[3].plaintext + 1, openings[3].root)
    openings[7] = Opening(openings[7].plaintext, openings[7].root + private.public_key.n)
    return false_openings(private.public_key, ciphertexts, openings)


COMPUTATIONS: dict[str, Callable[[PrivateKey], Any]] = {
    "encryption": _ciphertexts,
    "decryption": lambda private: private.decrypt_all(_ciphertexts(private)),
    "n-th roots": lambda private: private.nth_roots([mpz(at + 2) for at in range(5)]),
    "openings": lambda private: open_ciphertexts(private, _ciphertexts(private)),
    "false openings": _false,
    "packing": _packed,
    "short exponents": lambda private: ShortExponentBlinder(private.public_key, b"b" * 32).blind(
        _ciphertexts(private), _stream()
    ),
    "linear combinations": lambda private: rows_of_powers(
        _ciphertexts(private)[:3], [[at, -3, 1 << at] for at in range(9)], private.public_key.n_squared
    ),
}


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_the_cipher_s_numbers_are_the_same_by_a_kernel(private_key: PrivateKey, name: str) -> None:
    compute = COMPUTATIONS[name]
    with kernel_in_use(None):
        by_gmp = compute(private_key)
    with kernel_in_use(kernel := PythonKernel()):
        assert compute(private_key) == by_gmp
    assert kernel.calls
