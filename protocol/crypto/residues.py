"""Arithmetic modulo a number, and modulo a square n² by halves, in two thirds of the time.

x = a + b·n with a, b < n. The product of two of them is a₁a₂ + (a₁b₂ + b₁a₂)·n modulo n²: b₁b₂ is not needed,
and numbers half as long are divided. With a₁a₂ = q·n + r it is r + (q + a₁b₂ + b₁a₂ mod n)·n. Every number
that comes out is the one that the plain way gives.

Which numbers are multiplied is for the caller to choose; what is chosen by a secret is chosen the same in
either way.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

import gmpy2
from gmpy2 import f_divmod, fma, mpz

LEAST_HALF_BITS = 1536
"""Of n: below that Python's own work for more and shorter numbers takes what they save."""

Element: TypeAlias = Any
"""A number as one of the arithmetics below holds it, made by `enter`."""


class Residues(Protocol):
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


Halves: TypeAlias = tuple[mpz, mpz]
"""a and b of a + b·n."""


class HalvedResidues:
    """Numbers modulo n², as a and b."""

    __slots__ = ("_root", "modulus")

    def __init__(self, root: mpz) -> None:
        """Modulo the square of `root`."""
        self._root, self.modulus = root, root * root

    def enter(self, number: mpz) -> Halves:
        """Divided by n: what is left, and how often it goes."""
        often, left = f_divmod(number, self._root)
        return left, often

    def leave(self, element: Halves) -> mpz:
        """The number a + b·n."""
        return element[0] + element[1] * self._root

    def multiply(self, first: Halves, second: Halves) -> Halves:
        """The product modulo n²."""
        (a, b), (c, d), root = first, second, self._root
        often, left = f_divmod(a * c, root)
        return left, fma(b, c, fma(a, d, often)) % root

    def chain(self, factors: Mapping[int, Sequence[Halves]]) -> Halves:
        """Π f^(2^position) over all factors f."""
        root, a, b = self._root, mpz(1), mpz(0)
        for position in range(max(factors, default=-1), -1, -1):
            often, left = f_divmod(a * a, root)
            a, b = left, fma(a, b + b, often) % root
            for c, d in factors.get(position, ()):
                often, left = f_divmod(a * c, root)
                a, b = left, fma(b, c, fma(a, d, often)) % root
        return a, b


@lru_cache(maxsize=64)
def residues(modulus: mpz) -> Residues:
    """The faster arithmetic modulo a number."""
    if modulus.bit_length() >= 2 * LEAST_HALF_BITS - 1 and gmpy2.is_square(modulus):
        return HalvedResidues(gmpy2.isqrt(modulus))
    return PlainResidues(modulus)
