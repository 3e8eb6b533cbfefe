"""Powers of many numbers at once: by a kernel, eight at a time, where there is one; by GMP otherwise.

Both give the same numbers, so no transition, message or hash depends on which it is. A kernel is handed in
(`in_use.use_kernel`): whoever runs roles looks for one, since looking is I/O. Everything here is called with
whatever numbers stand together; too few for eight lanes to pay, and moduli that a kernel does not take, are
GMP's.
"""

from collections.abc import Sequence
from typing import TypeVar

import gmpy2
from gmpy2 import mpz

from protocol.crypto.native.digits import (
    LANES,
    MOST_BASES,
    MOST_WINDOW,
    fixed_digits,
    public_steps,
    secret_digits,
    shared_window,
    signed_digits,
    signed_positions,
)
from protocol.crypto.native.in_use import Kernel, kernel_for, kernel_for_public
from protocol.crypto.powers import PowerTables, batch_invert, public_power, window_for

_Item = TypeVar("_Item")


def public_powers(bases: Sequence[mpz], exponent: int, modulus: mpz) -> list[mpz]:
    """b^e of each of any numbers, for e ≥ 0 that everybody knows."""
    powers, steps = list[mpz](), None
    for some in _eights(bases):
        kernel = kernel_for_public(modulus, len(some))
        if kernel is None:
            powers += [public_power(one, exponent, modulus) for one in some]
            continue
        steps = steps or public_steps(exponent)
        powers += kernel.public_powers([one % modulus for one in some], steps, modulus)
    return powers


def secret_powers(bases: Sequence[mpz], exponents: Sequence[mpz], moduli: Sequence[mpz]) -> list[mpz]:
    """b^e of each number, with an exponent e > 0 and a modulus of its own; neither way's time tells e.

    Raises ValueError unless there are as many of each.
    """
    powers, triples = list[mpz](), list(zip(bases, exponents, moduli, strict=True))
    for some in _eights(triples):
        kernel = kernel_for(max(modulus for _, _, modulus in some), len(some))
        if kernel is None or not all(kernel.takes(modulus) for _, _, modulus in some):
            powers += [gmpy2.powmod_sec(base, exponent, modulus) for base, exponent, modulus in some]
            continue
        digits = secret_digits([int(exponent) for _, exponent, _ in some])
        reduced = [base % modulus for base, _, modulus in some]
        powers += kernel.secret_powers(reduced, digits, [modulus for _, _, modulus in some])
    return powers


def rows_of_powers(bases: Sequence[mpz], rows: Sequence[Sequence[int]], modulus: mpz) -> list[mpz]:
    """Π_j b_j^(e_ij) for each row i of exponents of any sign, one for each base; bases are units.

    Raises ZeroDivisionError for a base that is no unit, ValueError for a row of another length.
    """
    if any(len(row) != len(bases) for row in rows):
        raise ValueError(f"every row needs an exponent for each of {len(bases)} bases")
    kernel = kernel_for(modulus, len(rows)) if bases else None
    if kernel is None:
        bits = max((int(one).bit_length() for row in rows for one in row), default=0)
        tables = PowerTables(bases, modulus, window_for(bits, len(rows)))
        return [tables.product(row) for row in rows]
    products = _products_over_tables(kernel, bases[:MOST_BASES], [row[:MOST_BASES] for row in rows], modulus)
    for first in range(MOST_BASES, len(bases), MOST_BASES):
        here = slice(first, first + MOST_BASES)
        more = _products_over_tables(kernel, bases[here], [row[here] for row in rows], modulus)
        products = [one * other % modulus for one, other in zip(products, more, strict=True)]
    return products


def _products_over_tables(
    kernel: Kernel, bases: Sequence[mpz], rows: Sequence[Sequence[int]], modulus: mpz
) -> list[mpz]:
    """`rows_of_powers` for as many bases as a kernel's table has room for."""
    bits = max((int(one).bit_length() for row in rows for one in row), default=0)
    window = shared_window(len(bases), len(rows), bits)
    positions, inverses = signed_positions(bits, window), batch_invert(bases, modulus)
    starts = public_powers(inverses, 1 << (window - 1), modulus)
    table, products = kernel.table(starts, bases, modulus, window), list[mpz]()
    for some in _eights(rows):
        products += table.products(signed_digits(some, window, positions), positions, len(some))
    return products


class FixedBase:
    """A kernel's table of b^(digit·2^(MOST_WINDOW·row)): one entry of each row make a power of b."""

    __slots__ = ("_rows", "_table")

    def __init__(self, kernel: Kernel, base: mpz, modulus: mpz, exponent_bits: int) -> None:
        """For exponents below 2^exponent_bits."""
        bases = [base]
        for _ in range(-(-exponent_bits // MOST_WINDOW) - 1):
            bases.append(gmpy2.powmod(bases[-1], 1 << MOST_WINDOW, modulus))
        self._rows = len(bases)
        self._table = kernel.table([mpz(1)] * len(bases), bases, modulus, MOST_WINDOW)

    def powers(self, exponents: Sequence[int]) -> list[mpz]:
        """b^e of exponents e from 0 up to below 2^exponent_bits, which are secrets."""
        powers = list[mpz]()
        for some in _eights(exponents):
            powers += self._table.products(fixed_digits(some, MOST_WINDOW, self._rows), 1, len(some))
        return powers


def _eights(items: Sequence[_Item]) -> list[Sequence[_Item]]:
    return [items[at : at + LANES] for at in range(0, len(items), LANES)]
