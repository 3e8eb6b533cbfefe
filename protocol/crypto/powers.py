"""Products of powers with signed exponents, modulo any number: the one hot primitive.

Simultaneous multi-exponentiation by interleaved sliding windows (E. Straus, 1964; B. Möller, SAC 2001): one
chain of squarings per product, tables of odd powers shared by all of them, negative digits through one
batched inversion (P. Montgomery, 1987).
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import gmpy2
from gmpy2 import mpz

from protocol.crypto.residues import Element, PlainResidues, Residues, inverses, residues
from protocol.errors import MisuseError


class PowerTables:
    """Odd powers of some units and of their inverses, kept for many products over the same bases."""

    __slots__ = ("residues", "tables", "window")

    def __init__(self, bases: Sequence[mpz], modulus: mpz, window: int) -> None:
        """Two tables of 2^(window − 2) powers for each base.

        Raises ZeroDivisionError for a base that is no unit.
        """
        self.residues, self.window = residues(modulus), window
        elements = [self.residues.enter(base) for base in bases]
        self.tables = self.residues.signed_powers(elements, window)

    def product(self, exponents: Sequence[int]) -> mpz:
        """Π b_i^(e_i); raises ValueError unless there is one exponent for each base."""
        return joint_product([(self, exponents)])

    def part(self, where: slice) -> "PowerTables":
        """Tables of some of the bases alone, the same ones."""
        found = PowerTables([], self.residues.modulus, self.window)
        found.tables = self.tables[where]
        return found

    def add_factors(
        self, exponents: Sequence[int], factors: defaultdict[int, list[Element]]
    ) -> defaultdict[int, list[Element]]:
        """Add what is multiplied in at each place of a chain to `factors`, which is returned."""
        for table, exponent in zip(self.tables, exponents, strict=True):
            for position, digit in sliding_digits(int(exponent), self.window):
                factors[position].append(table[digit])
        return factors


def joint_product(parts: Sequence[tuple[PowerTables, Sequence[int]]]) -> mpz:
    """The product of several tables' products, one of them at least, all in one chain of squarings.

    Raises MisuseError for tables of different moduli, ValueError as `PowerTables.product` does.
    """
    within = parts[0][0].residues
    factors: defaultdict[int, list[Element]] = defaultdict(list)
    for tables, exponents in parts:
        if tables.residues.modulus != within.modulus:
            raise MisuseError("tables of two moduli have no product; join those of one")
        tables.add_factors(exponents, factors)
    return within.leave(within.chain(factors))


MOST_KEPT_BASES = 1_000
"""Of tables that a process keeps: at a key of 3072 bits and windows of 6 some 30 MB of them."""


UPDATES_WINDOW = 5
"""For the four products of a checker: folded rows, a request of weights, and two questions."""


def tables_of_inputs(bases: Sequence[mpz], modulus: mpz, window: int) -> PowerTables:
    """The same tables for the same bases within a process, which keeps the last six of them.

    A round's products are multiplied in several steps: for a metric, two tests and others' proofs. More than
    `MOST_KEPT_BASES` are not kept: tables that serve one or two products have half as many powers.
    """
    if len(bases) > MOST_KEPT_BASES:
        return PowerTables(bases, modulus, max(2, window - 1))
    return _kept_tables(tuple(bases), residues(modulus), window)


def tables_if_kept(bases: Sequence[mpz], modulus: mpz, window: int) -> PowerTables | None:
    """The same, for what single products are made of; nothing where they would not be kept."""
    if len(bases) > MOST_KEPT_BASES:
        return None
    return _kept_tables(tuple(bases), residues(modulus), window)


@lru_cache(maxsize=6)
def _kept_tables(bases: tuple[mpz, ...], within: Residues, window: int) -> PowerTables:
    return PowerTables(bases, within.modulus, window)


def product_of_powers(
    bases: Sequence[mpz],
    exponents: Sequence[int],
    modulus: mpz,
    kept: Sequence[tuple[PowerTables, Sequence[int]]] = (),
) -> mpz:
    """Π b_i^(e_i) of units, once and in one chain of squarings; a base to a power of two needs no table.

    Multiplied by those of `kept` tables modulo the same, with their exponents. Raises ZeroDivisionError for
    another base that is no unit, ValueError for too few or many exponents.
    """
    within, factors = residues(modulus), defaultdict[int, list[Element]](list)
    others = list[tuple[mpz, mpz]]()
    for base, exponent in zip(bases, map(mpz, exponents), strict=True):
        if exponent > 0 and exponent.bit_scan1(0) == exponent.bit_length() - 1:
            factors[exponent.bit_length() - 1].append(within.enter(base % modulus))
        elif exponent:
            others.append((base, exponent))
    fitting = fitting_tables([base for base, _ in others], [one for _, one in others], modulus)
    for tables, powers in (*fitting, *kept):
        tables.add_factors(powers, factors)
    return within.leave(within.chain(factors))


def fitting_tables(
    bases: Sequence[mpz], exponents: Sequence[int], modulus: mpz
) -> list[tuple[PowerTables, list[int]]]:
    """Tables for one product, and their exponents: of each base as wide as its exponent pays for.

    Zeros that an exponent ends in make it no longer; a base to the power 0 has none. Raises as `PowerTables`
    does.
    """
    by_window = defaultdict[int, list[tuple[mpz, int]]](list)
    for base, exponent in zip(bases, exponents, strict=True):
        number = mpz(exponent)
        if (last := number.bit_scan1(0)) is not None:
            by_window[window_for(number.bit_length() - last, 1)].append((base, exponent))
    return [
        (PowerTables([base for base, _ in pairs], modulus, window), [exponent for _, exponent in pairs])
        for window, pairs in by_window.items()
    ]


def public_power(base: mpz, exponent: int, modulus: mpz) -> mpz:
    """b^e of any number, for e ≥ 0 that everybody knows: e alone says what is looked up in its tables.

    Modulo a square by windows that slide over e (D. Knuth, The Art of Computer Programming 2, 4.6.3).
    """
    within = residues(modulus)
    if isinstance(within, PlainResidues):
        return gmpy2.powmod(base, exponent, modulus)
    number = mpz(exponent)
    bits = number.bit_length() - (number.bit_scan1(0) or 0)
    window = min(range(1, 9), key=lambda width: (1 << (width - 1)) + bits / (width + 1))
    table = within.odd_powers(within.enter(base % modulus), 1 << (window - 1))
    factors, position = dict[int, list[Element]](), number.bit_scan1(0)
    while position is not None:
        factors[position] = [table[int(number[position : position + window]) >> 1]]
        position = number.bit_scan1(position + window)
    return within.leave(within.chain(factors))


def expected_products(bases: int, rows: int, bits: int, window: int) -> float:
    """How many products tables and so many products over them take, with random exponents of so many bits.

    A base takes tables of either sign and its part in the inversion, a row its squarings and digits.
    """
    return bases * ((1 << (window - 1)) + 3) + rows * (bits + bases * (bits / (window + 1) + 0.5))


def batch_invert(values: Sequence[mpz], modulus: mpz) -> list[mpz]:
    """Inverses of units with one inversion and three products each."""
    within = residues(modulus)
    return [within.leave(one) for one in inverses([within.enter(value) for value in values], within)]


@lru_cache(maxsize=1024)
def window_for(bits: int, products: int) -> int:
    """The window with the fewest."""
    return min(range(2, 9), key=lambda window: expected_products(1, products, bits, window))


def sliding_digits(value: int, window: int) -> list[tuple[int, int]]:
    """The width-w non-adjacent form: (position, odd digit below 2^(w−1) in size), lowest first.

    Source: J. Solinas, Efficient arithmetic on Koblitz curves, Designs, Codes and Cryptography 19 (2000), 5.
    Behind a digit that is less than nothing one is carried, and the next stands at the next zero.
    """
    digits: list[tuple[int, int]] = []
    number, sign, carry = mpz(abs(value)), -1 if value < 0 else 1, 0
    base, half = 1 << window, 1 << (window - 1)
    position = number.bit_scan1(0)
    while position is not None:
        digit = int(number[position : position + window]) + carry
        carry = int(digit >= half)
        if carry:
            digit -= base
        digits.append((position, sign * digit))
        following = position + window
        position = number.bit_scan0(following) if carry else number.bit_scan1(following)
    return digits
