"""Products of powers with signed exponents, modulo any number: the one hot primitive.

Simultaneous multi-exponentiation by interleaved sliding windows (E. Straus, 1964; B. Möller, SAC 2001): one
chain of squarings per product, tables of odd powers shared by all of them, negative digits through one
batched inversion (P. Montgomery, 1987).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import gmpy2
from gmpy2 import mpz


class PowerTables:
    """Odd powers of some units and of their inverses, kept for many products over the same bases."""

    __slots__ = ("_modulus", "_tables", "_window")

    def __init__(self, bases: Sequence[mpz], modulus: mpz, window: int) -> None:
        """Two tables of 2^(window − 2) powers for each base.

        Raises ZeroDivisionError for a base that is no unit.
        """
        self._modulus, self._window = modulus, window
        self._tables = [_odd_powers(base, window, modulus) for base in bases]
        for table, inverse in zip(self._tables, batch_invert(bases, modulus), strict=True):
            powers = _odd_powers(inverse, window, modulus)
            table.update({-digit: power for digit, power in powers.items()})

    def product(self, exponents: Sequence[int]) -> mpz:
        """Π b_i^(e_i); raises ValueError unless there is one exponent for each base."""
        places = range(len(self._tables))
        return self.product_of(zip(places, exponents, strict=True))

    def product_of(self, powers: Iterable[tuple[int, int]]) -> mpz:
        """Π b_i^e for some pairs (i, e)."""
        factors: defaultdict[int, list[mpz]] = defaultdict(list)
        for place, exponent in powers:
            table = self._tables[place]
            for position, digit in sliding_digits(int(exponent), self._window):
                factors[position].append(table[digit])
        modulus, accumulator = self._modulus, mpz(1)
        for position in range(max(factors, default=-1), -1, -1):
            # Squared by hand: powmod with the exponent 2^w would make a table of its own at each window.
            accumulator = accumulator * accumulator % modulus
            for factor in factors.get(position, ()):
                accumulator = accumulator * factor % modulus
        return accumulator


def product_of_powers(bases: Sequence[mpz], exponents: Sequence[int], modulus: mpz) -> mpz:
    """Π b_i^(e_i) of units, once; raises as `PowerTables` does."""
    bits = max((int(exponent).bit_length() for exponent in exponents), default=0)
    return PowerTables(bases, modulus, window_for(bits, 1)).product(exponents)


def shared_products(bases: Sequence[mpz], rows: Sequence[Mapping[int, int]], modulus: mpz) -> list[mpz]:
    """Π b_i^(e_i) of units for each row of some places i and exponents e_i ≥ 0.

    With many rows of few places squarings would prevail. So exponents are cut into blocks, and the bases
    raised to the blocks' places once for all rows.
    """
    plan = SharedPlan.of(bases, rows)
    blocks = [list(bases)]
    for _ in range(plan.blocks - 1):
        blocks.append([_squared(base, plan.block_bits, modulus) for base in blocks[-1]])
    tables = PowerTables([base for block in blocks for base in block], modulus, plan.window)
    return [tables.product_of(plan.cut(row)) for row in rows]


class SharedPlan(NamedTuple):
    """How `shared_products` cuts exponents, and about how many products it takes."""

    bases: int
    blocks: int
    block_bits: int
    window: int
    products: float

    @classmethod
    def of(cls, bases: Sequence[mpz], rows: Sequence[Mapping[int, int]]) -> "SharedPlan":
        """The plan with the fewest products."""
        bits = max((int(one).bit_length() for row in rows for one in row.values()), default=0)
        terms = sum(map(len, rows))
        candidates = (
            cls.counted(len(bases), len(rows), terms, bits, blocks, window)
            for blocks in range(1, 9)
            for window in range(2, 8)
        )
        return min(candidates, key=lambda plan: plan.products)

    @classmethod
    def counted(cls, bases: int, rows: int, terms: int, bits: int, blocks: int, window: int) -> "SharedPlan":
        """Of so many rows with so many `terms` in all, of exponents of so many `bits`.

        A row costs its squarings and digits, a base its squarings, tables of either sign and inversion.
        """
        length = -(-bits // blocks)
        digits = terms * blocks * (length / (window + 1) + 0.5)
        tables = blocks * ((1 << (window - 1)) + 3) + (blocks - 1) * length
        return cls(bases, blocks, length, window, rows * length + digits + bases * tables)

    def cut(self, row: Mapping[int, int]) -> Iterable[tuple[int, int]]:
        """The row over the bases of all blocks."""
        mask = (1 << self.block_bits) - 1
        for place, exponent in row.items():
            for block in range(self.blocks):
                yield block * self.bases + place, int(exponent) >> (block * self.block_bits) & mask


def batch_invert(values: Sequence[mpz], modulus: mpz) -> list[mpz]:
    """Inverses of units with one inversion and three products each."""
    prefix = [mpz(1)]
    for value in values:
        prefix.append(prefix[-1] * value % modulus)
    running = gmpy2.invert(prefix[-1], modulus)
    inverses: list[mpz] = []
    for index in range(len(values) - 1, -1, -1):
        inverses.append(running * prefix[index] % modulus)
        running = running * values[index] % modulus
    inverses.reverse()
    return inverses


def window_for(bits: int, products: int) -> int:
    """The window with the fewest products: tables cost 2·2^(w−2) a base, digits bits/(w + 1) a product."""
    return min(range(2, 9), key=lambda w: (2 << (w - 2)) + products * bits / (w + 1))


def sliding_digits(value: int, window: int) -> list[tuple[int, int]]:
    """The width-w non-adjacent form: (position, odd digit below 2^(w−1) in size), lowest first.

    Source: J. Solinas, Efficient arithmetic on Koblitz curves, Designs, Codes and Cryptography 19 (2000), 5.
    """
    digits: list[tuple[int, int]] = []
    base, half, position = 1 << window, 1 << (window - 1), 0
    while value:
        zeros = (value & -value).bit_length() - 1
        value >>= zeros
        position += zeros
        digit = value & (base - 1)
        if digit >= half:
            digit -= base
        digits.append((position, digit))
        value -= digit
    return digits


def _squared(base: mpz, times: int, modulus: mpz) -> mpz:
    for _ in range(times):
        base = base * base % modulus
    return base


def _odd_powers(base: mpz, window: int, modulus: mpz) -> dict[int, mpz]:
    """b, b³, b⁵, … up to the exponent 2^(w−1) − 1."""
    table, square = {1: base}, base * base % modulus
    for digit in range(3, 1 << (window - 1), 2):
        table[digit] = table[digit - 2] * square % modulus
    return table
