"""How many products a computation takes: arithmetics that count, in place of the product's own."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import pytest
from gmpy2 import mpz

from protocol.crypto import paillier, powers
from protocol.crypto.native import in_use
from protocol.crypto.residues import Element, Residues, residues


class ProductCount:
    """Products by the length of their modulus in bits; squarings are some."""

    def __init__(self) -> None:
        self.products: dict[int, int] = {}

    def add(self, modulus: mpz, products: int) -> None:
        bits = modulus.bit_length()
        self.products[bits] = self.products.get(bits, 0) + products

    @property
    def total(self) -> int:
        return sum(self.products.values())

    def counted(self, make: Callable[[mpz], Residues] = residues) -> Callable[[mpz], Residues]:
        """What stands in the place of `residues`: the same object each time, by which tables are kept."""
        return cache(lambda modulus: _Counted(make(modulus), self))

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Count whatever powers and tables multiply from here on, all of it by GMP."""
        patch.setattr(in_use, "_IN_USE", [])
        patch.setattr("protocol.crypto.residues._HALVES", [])
        for module in (powers, paillier):
            patch.setattr(module, "residues", self.counted())


class _Counted:
    def __init__(self, within: Residues, count: ProductCount) -> None:
        self.within, self.count, self.modulus = within, count, within.modulus

    def enter(self, number: mpz) -> Element:
        return self.within.enter(number)

    def leave(self, element: Element) -> mpz:
        return self.within.leave(element)

    def multiply(self, first: Element, second: Element) -> Element:
        self.count.add(self.modulus, 1)
        return self.within.multiply(first, second)

    def chain(self, factors: Mapping[int, Sequence[Element]]) -> Element:
        squarings = max(factors, default=0)
        self.count.add(self.modulus, squarings + sum(map(len, factors.values())))
        return self.within.chain(factors)

    def odd_powers(self, base: Element, count: int) -> list[Element]:
        self.count.add(self.modulus, count)
        return self.within.odd_powers(base, count)

    def signed_powers(self, units: Sequence[Element], window: int) -> list[dict[int, Element]]:
        """A product for each power of either sign or their square, and three for an inversion."""
        self.count.add(self.modulus, len(units) * ((1 << (window - 1)) + 3))
        return self.within.signed_powers(units, window)
