"""The C kernel's arithmetic modulo a square, its lanes in plain C, against Python's integers."""

from collections.abc import Callable
from math import prod

import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.residues import PlainResidues, Residues, residues
from protocol.errors import MisuseError
from services.native.halves import NativeHalves
from services.native.kernel import NativeKernel
from tests.support.cipher_computations import COMPUTATIONS
from tests.support.native_kernel import PythonKernel, kernel_in_use, private_key_of

Kernel = NativeKernel | PythonKernel
LEAST = mpz(1) << 1024
ROOTS = [
    LEAST - 105,
    LEAST // 2 + 1,
    (mpz(1) << 961) - 1,
    LEAST - 1,
    (mpz(1) << 1088) - 1,
    (mpz(1) << 1537) + 21,
    (mpz(1) << 2048) - 1,
    (mpz(1) << 2304) + 1,
    (mpz(1) << 2557) + 3,
    (mpz(1) << 3072) - 1,
    (mpz(1) << 3581) + 1,
    (mpz(1) << 4096) - 1,
]
"""Of each number of lanes that the kernel has a loop for: three to ten groups of eight."""
GROUPS = range(3, 11)
PLACES = st.sampled_from(["0", "1", "n − 1", "n", "n² − n", "n² − 1"]) | st.integers(0, (1 << 8192) - 1)


def _number(place: str | int, root: mpz) -> mpz:
    named = {"0": 0, "1": 1, "n − 1": root - 1, "n": root, "n² − n": root**2 - root, "n² − 1": root**2 - 1}
    return mpz(named[place] if isinstance(place, str) else place) % root**2


def _arithmetic(kernel: Kernel, root: mpz) -> Residues:
    """The kernel's; plain numbers where there is no compiler."""
    return kernel.halves(root) or PlainResidues(root * root)


@settings(max_examples=100)
@given(st.sampled_from(ROOTS), PLACES, PLACES)
def test_a_product_is_pythons(kernel: Kernel, root: mpz, first: str | int, second: str | int) -> None:
    within, numbers = _arithmetic(kernel, root), [_number(one, root) for one in (first, second)]
    elements = [within.enter(one) for one in numbers]
    assert [within.leave(one) for one in elements] == numbers
    assert within.leave(within.multiply(*elements)) == prod(map(int, numbers)) % int(root) ** 2


@settings(max_examples=30)
@given(st.sampled_from(ROOTS), st.dictionaries(st.integers(0, 40), st.lists(PLACES, max_size=3), max_size=4))
def test_a_chain_is_the_product_of_its_powers(
    kernel: Kernel, root: mpz, factors: dict[int, list[str | int]]
) -> None:
    within, square, expected = _arithmetic(kernel, root), int(root) ** 2, 1
    numbers = {position: [_number(one, root) for one in some] for position, some in factors.items()}
    for position, some in numbers.items():
        for number in some:
            expected = expected * pow(int(number), 1 << position, square) % square
    entered = {position: [within.enter(one) for one in some] for position, some in numbers.items()}
    assert within.leave(within.chain(entered)) == expected


@settings(max_examples=10)
@given(st.sampled_from(ROOTS), st.lists(st.integers(2, 1 << 90), max_size=3), st.sampled_from([2, 3, 6]))
def test_powers_in_tables_are_pythons(kernel: Kernel, root: mpz, bases: list[int], window: int) -> None:
    within, square = _arithmetic(kernel, root), int(root) ** 2
    units = [mpz(6 * one + 1) if root % 3 else mpz(one | 1) ** 4 * 2 for one in bases]
    try:
        expected = [
            {k: pow(int(one), k, square) for k in range(1 - (1 << (window - 1)), 1 << (window - 1), 2)}
            for one in units
        ]
    except ValueError:
        with pytest.raises(ZeroDivisionError):
            within.signed_powers([within.enter(one) for one in units], window)
        return
    tables = within.signed_powers([within.enter(one) for one in units], window)
    assert [{k: within.leave(power) for k, power in table.items()} for table in tables] == expected


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_the_cipher_s_numbers_are_the_same_by_this_kernel(kernel: Kernel, name: str) -> None:
    private = private_key_of(1024)
    with kernel_in_use(None):
        by_gmp = COMPUTATIONS[name](private)
    with kernel_in_use(kernel):
        assert COMPUTATIONS[name](private) == by_gmp


def test_what_stands_in_is_the_kernel_s_where_it_takes_the_root(kernel: Kernel) -> None:
    if isinstance(kernel, NativeKernel):
        with kernel_in_use(kernel):
            assert isinstance(residues(ROOTS[0] ** 2), NativeHalves)
            assert residues(ROOTS[0] ** 2) is residues(ROOTS[0] ** 2)
            assert not isinstance(residues(LEAST**2), NativeHalves), "an even root"
            assert not isinstance(residues(((mpz(1) << 960) - 1) ** 2), NativeHalves), "a short root"
            assert not isinstance(residues(((mpz(1) << 4096) + 1) ** 2), NativeHalves), "a long root"
        with kernel_in_use(None):
            assert not isinstance(residues(ROOTS[0] ** 2), NativeHalves)


def test_products_are_tried_in_every_length_that_the_kernel_has_a_loop_for() -> None:
    limbs = {-(-(64 * -(-int(root.bit_length()) // 64) + 6) // 52) for root in ROOTS}
    assert {-(-one // 8) for one in limbs} == set(GROUPS)


REFUSED: dict[str, Callable[[NativeHalves], object]] = {
    "a number in the place of an element": lambda one: one.leave(mpz(1)),
    "an element cut short": lambda one: one.multiply(one.enter(mpz(1)), one.enter(mpz(1))[:-1]),
    "a chain of other elements": lambda one: one.chain({0: [one.enter(mpz(1))[:-8]]}),
    "no powers": lambda one: one.odd_powers(one.enter(mpz(1)), 0),
    "too many powers": lambda one: one.odd_powers(one.enter(mpz(1)), 129),
    "too long a chain": lambda one: one.chain({1 << 16: [one.enter(mpz(1))]}),
    "too many factors of a power": lambda one: one.chain({0: [b""] * (1 << 16)}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_at_the_door(kernel: Kernel, name: str) -> None:
    within = kernel.halves(ROOTS[0])
    if within is not None:
        with pytest.raises(MisuseError):
            REFUSED[name](within)


@pytest.mark.parametrize("root", [LEAST, (mpz(1) << 960) - 1, (mpz(1) << 4096) + 1])
def test_a_root_that_is_not_taken_is_told(kernel: Kernel, root: mpz) -> None:
    if isinstance(kernel, NativeKernel):
        assert kernel.halves(root) is None
        with pytest.raises(MisuseError, match="no kernel takes its square"):
            NativeHalves(kernel._library, root)
