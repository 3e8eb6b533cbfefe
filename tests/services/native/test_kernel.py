"""The C kernel against Python's integers and gmpy2, bit for bit; `make native-check` has a million."""

from math import prod

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.native.batch import rows_of_powers
from protocol.crypto.native.digits import LANES, PublicSteps, public_steps, secret_digits
from protocol.crypto.paillier import FixedBaseTable, PrivateKey
from protocol.errors import MisuseError
from services.native.kernel import NativeKernel
from services.native.loading import computes_rightly
from tests.support.native_kernel import PythonKernel, kernel_in_use

Kernel = NativeKernel | PythonKernel
LEAST, LONG = mpz(1) << 1024, mpz(1) << 3100
MODULI = [LEAST - 105, LEAST // 2 + 1, LEAST // 3 * 2 + 1, LEAST - 1, (LEAST >> 60) - 1, mpz(3) ** 640]
EDGES = st.sampled_from([0, 1, 2, (1 << 52) - 1, 1 << 52, (1 << 1024) - 1, 1 << 1023])


@st.composite
def lanes(draw: st.DrawFn) -> tuple[list[mpz], list[mpz]]:
    """Numbers beside their moduli, with the ends of each."""
    moduli = draw(st.lists(st.sampled_from(MODULI), min_size=1, max_size=LANES))
    moduli[0] = MODULI[0]
    drawn = [draw(st.one_of(EDGES, st.integers(-3, -1), st.integers(0, 1 << 1024))) for _ in moduli]
    return [mpz(one) % modulus for one, modulus in zip(drawn, moduli, strict=True)], moduli


@settings(max_examples=40)
@given(lanes(), st.integers(0, 4))
def test_products_are_pythons(kernel: Kernel, some: tuple[list[mpz], list[mpz]], more: int) -> None:
    numbers, moduli = some
    tops = [modulus - 1 - at for at, modulus in enumerate(moduli)]
    factors = [numbers, tops, numbers, tops, numbers][: more + 1]
    expected = [
        int(prod(map(int, one))) % int(n) for one, n in zip(zip(*factors, strict=True), moduli, strict=True)
    ]
    assert kernel.products(factors, moduli) == expected


@settings(max_examples=15)
@given(lanes(), st.integers(0, 1 << 70))
def test_public_and_secret_powers_are_gmps(kernel: Kernel, some: tuple[list[mpz], list[mpz]], e: int) -> None:
    numbers, moduli = some
    reduced = [one % moduli[0] for one in numbers]
    assert kernel.public_powers(reduced, public_steps(e), moduli[0]) == [
        gmpy2.powmod(one, e, moduli[0]) for one in reduced
    ]
    exponents = [e >> at for at in range(len(numbers))]
    assert kernel.secret_powers(numbers, secret_digits(exponents), moduli) == [
        gmpy2.powmod(one, each, modulus)
        for one, each, modulus in zip(numbers, exponents, moduli, strict=True)
    ]


@settings(max_examples=8)
@given(st.integers(1, 10), st.integers(0, 1 << 1030), st.integers(-(1 << 30), 1 << 30))
def test_products_over_shared_tables_are_gmps(kernel: Kernel, bases: int, seed: int, exponent: int) -> None:
    modulus = MODULI[0]
    units = [mpz(seed + at) % modulus or mpz(1) for at in range(bases)]
    rows = [[exponent + at * row for at in range(bases)] for row in range(9)]
    by_gmp = rows_of_powers(units, rows, modulus)
    with kernel_in_use(kernel):
        assert rows_of_powers(units, rows, modulus) == by_gmp


def test_a_fixed_base_s_powers_are_gmps(kernel: Kernel) -> None:
    table, exponents = FixedBaseTable(mpz(7), MODULI[0], 60), [0, 1, 63, 64, (1 << 60) - 1]
    with kernel_in_use(kernel):
        assert table.powers(exponents) == [gmpy2.powmod(7, one, MODULI[0]) for one in exponents]


def test_the_key_holder_s_numbers_are_the_same(kernel: Kernel) -> None:
    private = PrivateKey(gmpy2.next_prime(mpz(7) << 509), gmpy2.next_prime(mpz(5) << 509))
    ciphertexts = [mpz(at + 2) for at in range(4)]
    by_gmp = private.decrypt_all(ciphertexts)
    with kernel_in_use(kernel):
        assert private.decrypt_all(ciphertexts) == by_gmp


def test_longer_numbers_are_computed_rightly(kernel: Kernel) -> None:
    assert computes_rightly(kernel, (2050,))  # type: ignore[arg-type]


def test_lengths_and_moduli_that_it_has_no_room_for_are_not_taken(kernel: Kernel) -> None:
    kernel = kernel if isinstance(kernel, NativeKernel) else PythonKernel(least_bits=961)
    assert kernel.takes((mpz(1) << 960) + 1)
    assert kernel.takes((mpz(1) << 8192) - 1)
    assert not any(kernel.takes(one) for one in ((mpz(1) << 960) - 1, LEAST, mpz(1), mpz(0)))
    if isinstance(kernel, NativeKernel):
        assert not kernel.takes((mpz(1) << 8192) + 1)


STEPS = public_steps(5)
ODD = MODULI[0]
REFUSED = {
    "no number": lambda one: one.public_powers([], STEPS, ODD),
    "nine numbers": lambda one: one.public_powers([mpz(2)] * 9, STEPS, ODD),
    "a number that is its modulus": lambda one: one.public_powers([ODD], STEPS, ODD),
    "a negative number": lambda one: one.public_powers([mpz(-1)], STEPS, ODD),
    "an even modulus": lambda one: one.public_powers([mpz(2)], STEPS, LEAST),
    "a short modulus": lambda one: one.public_powers([mpz(2)], STEPS, mpz(15)),
    "a long modulus": lambda one: one.public_powers([mpz(2)], STEPS, (mpz(1) << 8192) + 1),
    "a digit above its powers": lambda one: one.public_powers([mpz(2)], PublicSteps(1, (0,), (2,)), ODD),
    "no powers": lambda one: one.public_powers([mpz(2)], PublicSteps(0, (0,), (0,)), ODD),
    "too many powers": lambda one: one.public_powers([mpz(2)], PublicSteps(129, (0,), (0,)), ODD),
    "too many squarings": lambda one: one.public_powers([mpz(2)], PublicSteps(1, (65535, 2), (1, 0)), ODD),
    "too many in a step": lambda one: one.public_powers([mpz(2)], PublicSteps(1, (65536,), (1,)), ODD),
    "fewer digits than steps": lambda one: one.public_powers([mpz(2)], PublicSteps(1, (1, 1), (1,)), ODD),
    "part of a position": lambda one: one.secret_powers([mpz(2)], bytes(9), [ODD]),
    "a secret digit of six bits": lambda one: one.secret_powers([mpz(2)], bytes(7) + b"\x20", [ODD]),
    "too long a secret": lambda one: one.secret_powers([mpz(2)], bytes(8 * 13108), [ODD]),
    "fewer numbers than moduli": lambda one: one.secret_powers([mpz(2)], bytes(8), [ODD, ODD]),
    "no bases": lambda one: one.table([], [], ODD, 4),
    "other starts than bases": lambda one: one.table([mpz(1)], [mpz(2)] * 2, ODD, 4),
    "a base that is its modulus": lambda one: one.table([mpz(1)], [ODD], ODD, 4),
    "too wide a window": lambda one: one.table([mpz(1)], [mpz(2)], ODD, 7),
    "no window": lambda one: one.table([mpz(1)], [mpz(2)], ODD, 0),
    "digits of another table": lambda one: one.table([mpz(1)], [mpz(2)], ODD, 4).products(bytes(16), 1, 8),
    "a digit above its window": lambda one: one.table([mpz(1)], [mpz(2)], ODD, 4).products(b"\x10" * 8, 1, 8),
    "no position": lambda one: one.table([mpz(1)], [mpz(2)], ODD, 4).products(b"", 0, 8),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_at_the_door(kernel: Kernel, name: str) -> None:
    if isinstance(kernel, NativeKernel):
        with pytest.raises(MisuseError):
            REFUSED[name](kernel)
