"""The gains that are told are those of computations that the kernel had, and had right."""

import pytest
from gmpy2 import mpz

from protocol.crypto.native.in_use import kernel_for
from tests.benchmarks.checked_round import Size
from tests.native_kernel.speed import Gain, gains, lines, primitives, round_gain
from tests.support.groups import small_group
from tests.support.native_kernel import PythonKernel, PythonTable, kernel_in_use
from tests.support.proofs import private_key

BITS = 512


class _OneOff(PythonKernel):
    """Its tables' products are one too large."""

    def table(self, *arguments: object) -> PythonTable:
        table = super().table(*arguments)  # type: ignore[arg-type]
        right = table.products
        table.products = lambda *of: [one + 1 for one in right(*of)]  # type: ignore[method-assign]
        return table


def test_every_primitive_is_computed_by_the_kernel_and_gmpy2_alike() -> None:
    computations = primitives(private_key(BITS))
    with kernel_in_use(None):
        for name, compute in computations.items():
            (found,) = gains({name: compute}, kernel := PythonKernel(), turns=1)
            assert kernel.calls, name
            assert found.primitive == name
            assert found.ratio == found.by_gmpy2 / found.by_kernel
        assert kernel_for(private_key(BITS).public_key.n_squared, 8) is None


def test_a_kernel_that_computes_otherwise_is_no_gain() -> None:
    computations = primitives(private_key(BITS))
    rows = next(name for name in computations if "rows" in name)
    with kernel_in_use(None), pytest.raises(AssertionError, match="rows"):
        gains({rows: computations[rows]}, _OneOff(), turns=1)


def test_a_round_is_run_by_the_kernel_and_without() -> None:
    with kernel_in_use(None):
        size = Size(trainers=2, validators=2, parameters=2)
        found = round_gain(kernel := PythonKernel(), size, key_bits=1024, group=small_group())
    assert kernel.calls
    assert found.by_kernel > 0
    assert "p = 2" in lines([found])[-1]


def test_gains_are_told_in_a_table() -> None:
    assert lines([Gain("n-th powers", 12.0, 4.0)])[-1] == "| n-th powers | 12.0 | 4.0 | 3.0 |"
    assert Gain("x", float(mpz(9)), 2.0).ratio == 4.5
