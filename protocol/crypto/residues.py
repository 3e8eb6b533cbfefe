"""Arithmetic modulo a number, and modulo a square n² by halves, in two thirds of the time.

x = a + b·n with a, b < n. The product of two of them is a₁a₂ + (a₁b₂ + b₁a₂)·n modulo n²: b₁b₂ is not needed,
and numbers half as long are divided. With a₁a₂ = q·n + r it is r + (q + a₁b₂ + b₁a₂ mod n)·n. Every number
that comes out is the one that the plain way gives.

A table of a unit's powers, which are multiplied many times, holds c·(1 + e·n) for c + d·n, where e is d/c
modulo n. A product then takes a₁c and b₁c alone, and factors 1 + e·n are multiplied by adding their e.

Which numbers are multiplied is for the caller to choose; what is chosen by a secret is chosen the same in
either way.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

import gmpy2
from gmpy2 import f_divmod, fma, mpz

LEAST_HALF_BITS = 1536
"""Of n: below that Python's own work for more and shorter numbers takes what they save."""

Element: TypeAlias = Any
"""A number as one of the arithmetics below holds it, made by `enter`."""


class Residues(Hashable, Protocol):
    """Numbers modulo `modulus`, as elements that `enter` makes of them and `leave` makes numbers of."""

    modulus: mpz

    def enter(self, number: mpz) -> Element:
        """The element of a number from 0 up to below the modulus."""

    def leave(self, element: Element) -> mpz:
        """The number of an element."""

    def multiply(self, first: Element, second: Element) -> Element:
        """The product of two elements."""

    def chain(self, factors: Mapping[int, Sequence[Element]]) -> Element:
        """Π f^(2^position) over all factors f: from the highest position down, squaring at each step."""

    def odd_powers(self, base: Element, count: int) -> list[Element]:
        """b, b³, b⁵, …: so many."""

    def signed_powers(self, units: Sequence[Element], window: int) -> list[dict[int, Element]]:
        """Of each unit the powers b^k for odd k, |k| < 2^(window − 1).

        Raises ZeroDivisionError for a base that is no unit.
        """


class PlainResidues:
    """Numbers modulo any modulus, as they are."""

    __slots__ = ("modulus",)

    def __init__(self, modulus: mpz) -> None:
        """Modulo `modulus`."""
        self.modulus = modulus

    def enter(self, number: mpz) -> mpz:
        """The number itself."""
        return number

    def leave(self, element: mpz) -> mpz:
        """The number itself."""
        return element

    def multiply(self, first: mpz, second: mpz) -> mpz:
        """The product modulo the modulus."""
        return first * second % self.modulus

    def chain(self, factors: Mapping[int, Sequence[mpz]]) -> mpz:
        """Π f^(2^position) over all factors f."""
        modulus, accumulator = self.modulus, mpz(1)
        for position in range(max(factors, default=-1), -1, -1):
            # Squared by hand: powmod with the exponent 2^w would make a table of its own at each window.
            accumulator = accumulator * accumulator % modulus
            for factor in factors.get(position, ()):
                accumulator = accumulator * factor % modulus
        return accumulator

    def odd_powers(self, base: mpz, count: int) -> list[mpz]:
        """b, b³, b⁵, …: so many."""
        return odd_powers(base, count, self)

    def signed_powers(self, units: Sequence[mpz], window: int) -> list[dict[int, mpz]]:
        """Of each unit the powers b^k for odd k, |k| < 2^(window − 1)."""
        return signed_odd_powers(units, window, self)


Halves: TypeAlias = tuple[mpz, mpz, mpz]
"""a, b and e of (a + b·n)·(1 + e·n): b is 0 in tables, e is 0 elsewhere."""

_NONE = mpz(0)


class HalvedResidues:
    """Numbers modulo n², as a, b and e."""

    __slots__ = ("_root", "modulus")

    def __init__(self, root: mpz) -> None:
        """Modulo the square of `root`."""
        self._root, self.modulus = root, root * root

    def enter(self, number: mpz) -> Halves:
        """Divided by n: what is left, and how often it goes."""
        often, left = f_divmod(number, self._root)
        return left, often, _NONE

    def leave(self, element: Halves) -> mpz:
        """The number (a + b·n)·(1 + e·n)."""
        a, b, e = element
        return a + fma(a, e, b) % self._root * self._root

    def multiply(self, first: Halves, second: Halves) -> Halves:
        """The product modulo n²."""
        (a, b, e), (c, d, f), root = first, second, self._root
        often, left = f_divmod(a * c, root)
        return left, fma(b, c, fma(a, d, often)) % root, e + f

    def chain(self, factors: Mapping[int, Sequence[Halves]]) -> Halves:
        """Π f^(2^position) over all factors f."""
        root, a, b = self._root, mpz(1), mpz(0)
        for position in range(max(factors, default=-1), -1, -1):
            often, left = f_divmod(a * a, root)
            a, b = left, fma(a, b + b, often) % root
            for c, d, _ in factors.get(position, ()):
                often, left = f_divmod(a * c, root)
                a, b = left, fma(b, c, fma(a, d, often)) % root
        return a, b, _sum_of(factors)

    def odd_powers(self, base: Halves, count: int) -> list[Halves]:
        """b, b³, b⁵, …: so many."""
        return odd_powers(base, count, self)

    def signed_powers(self, units: Sequence[Halves], window: int) -> list[dict[int, Halves]]:
        """Of each unit the powers b^k for odd k, |k| < 2^(window − 1)."""
        inverted = inverses([a for a, _, _ in units], PlainResidues(self._root))
        return [self._powers(unit, one, window) for unit, one in zip(units, inverted, strict=True)]

    def _powers(self, unit: Halves, inverse: mpz, window: int) -> dict[int, Halves]:
        """Where `inverse` is that of a modulo n.

        With a·c = l + q·n that product of two powers is l·(1 + q/l·n); with l·i = 1 + t·n the inverse of l is
        i·(1 − t·n).
        """
        (a, b, e), root = unit, self._root
        e = (b * inverse + e) % root
        often, square = f_divmod(a * a, root)
        inverse_square = inverse * inverse % root
        step = fma(often, inverse_square, e + e) % root
        table = {1: (a, _NONE, e), -1: (inverse, _NONE, -e - a * inverse // root)}
        for digit in range(3, 1 << (window - 1), 2):
            often, a = f_divmod(a * square, root)
            inverse = inverse * inverse_square % root
            e = fma(often, inverse, e + step) % root
            table[digit] = a, _NONE, e
            table[-digit] = inverse, _NONE, -e - a * inverse // root
        return table


def _sum_of(factors: Mapping[int, Sequence[Halves]]) -> mpz:
    """Σ e·2^position."""
    total, above = mpz(0), max(factors, default=0)
    for position in sorted(factors, reverse=True):
        total <<= above - position
        for _, _, e in factors[position]:
            total += e
        above = position
    return total << above


def residues(modulus: mpz) -> Residues:
    """The fastest arithmetic modulo a number, the same object each time."""
    return _residues(modulus, *_HALVES)


_HALVES: list[Callable[[mpz], Residues | None]] = []


def use_halves(make: Callable[[mpz], Residues | None] | None) -> None:
    """Compute modulo squares n² by what `make` makes of n, if it makes something; None is GMP alone."""
    _HALVES[:] = [] if make is None else [make]


@lru_cache(maxsize=64)
def _residues(modulus: mpz, *halves: Callable[[mpz], Residues | None]) -> Residues:
    for make in halves:
        found = make(gmpy2.isqrt(modulus)) if gmpy2.is_square(modulus) else None
        if found is not None:
            return found
    if modulus.bit_length() >= 2 * LEAST_HALF_BITS - 1 and gmpy2.is_square(modulus):
        return HalvedResidues(gmpy2.isqrt(modulus))
    return PlainResidues(modulus)


def inverses(elements: Sequence[Element], within: Residues) -> list[Element]:
    """P. Montgomery's: that of the product of all, and the products of the others."""
    multiply, prefix = within.multiply, [within.enter(mpz(1))]
    for element in elements:
        prefix.append(multiply(prefix[-1], element))
    running = within.enter(gmpy2.invert(within.leave(prefix[-1]), within.modulus))
    found: list[Element] = []
    for index in range(len(elements) - 1, -1, -1):
        found.append(multiply(running, prefix[index]))
        running = multiply(running, elements[index])
    found.reverse()
    return found


def odd_powers(base: Element, count: int, within: Residues) -> list[Element]:
    """b, b³, b⁵, …: so many, by an arithmetic's own products."""
    powers, square = [base], within.multiply(base, base)
    while len(powers) < count:
        powers.append(within.multiply(powers[-1], square))
    return powers


def signed_odd_powers(units: Sequence[Element], window: int, within: Residues) -> list[dict[int, Element]]:
    """`Residues.signed_powers` by an arithmetic's odd powers, of the units and of their inverses."""
    count, tables = 1 << (window - 2), list[dict[int, Element]]()
    for unit, inverse in zip(units, inverses(units, within), strict=True):
        table = dict(zip(range(1, 2 * count, 2), within.odd_powers(unit, count), strict=True))
        table.update(zip(range(-1, -2 * count, -2), within.odd_powers(inverse, count), strict=True))
        tables.append(table)
    return tables
