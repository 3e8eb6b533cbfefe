"""Products of powers with signed exponents, modulo any number: the one hot primitive.

Simultaneous multi-exponentiation by interleaved sliding windows (E. Straus, 1964; B. Möller, SAC 2001): one
chain of squarings per product, tables of odd powers shared by all of them, negative digits through one
batched inversion (P. Montgomery, 1987).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

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
        return _chain(self._factors(exponents), self._modulus)

    def with_shifted(self, exponents: Sequence[int], shifted: Sequence[mpz], shift: int) -> mpz:
        """The same times Π s_k^(2^(shift·k)), k from 0, whose squarings are those of the other powers."""
        factors = self._factors(exponents)
        for place, one in enumerate(shifted):
            factors[shift * place].append(one)
        return _chain(factors, self._modulus)

    def _factors(self, exponents: Sequence[int]) -> defaultdict[int, list[mpz]]:
        """What is multiplied in at each place of the chain."""
        factors: defaultdict[int, list[mpz]] = defaultdict(list)
        for table, exponent in zip(self._tables, exponents, strict=True):
            for position, digit in sliding_digits(int(exponent), self._window):
                factors[position].append(table[digit])
        return factors


MOST_KEPT_BASES = 1_000
"""Of tables that a process keeps: at a key of 3072 bits some 13 MB of them."""


def tables_of_inputs(bases: Sequence[mpz], modulus: mpz, window: int) -> PowerTables:
    """The same tables for the same bases within a process, which keeps the last two of them.

    A round's products are multiplied in several steps: for a metric, two tests and others' proofs. More than
    `MOST_KEPT_BASES` are not kept.
    """
    make = _kept_tables if len(bases) <= MOST_KEPT_BASES else PowerTables
    return make(tuple(bases), modulus, window)


@lru_cache(maxsize=2)
def _kept_tables(bases: tuple[mpz, ...], modulus: mpz, window: int) -> PowerTables:
    return PowerTables(bases, modulus, window)


def product_of_powers(bases: Sequence[mpz], exponents: Sequence[int], modulus: mpz) -> mpz:
    """Π b_i^(e_i) of units, once; raises as `PowerTables` does."""
    bits = max((int(exponent).bit_length() for exponent in exponents), default=0)
    return PowerTables(bases, modulus, window_for(bits, 1)).product(exponents)


def expected_products(bases: int, rows: int, bits: int, window: int) -> float:
    """How many products tables and so many products over them take, with random exponents of so many bits.

    A base takes tables of either sign and its part in the inversion, a row its squarings and digits.
    """
    return bases * ((1 << (window - 1)) + 3) + rows * (bits + bases * (bits / (window + 1) + 0.5))


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
    """The window with the fewest."""
    return min(range(2, 9), key=lambda window: expected_products(1, products, bits, window))


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


def _chain(factors: Mapping[int, Sequence[mpz]], modulus: mpz) -> mpz:
    """Π f^(2^position) over all factors f: from the highest position down, squaring at each step."""
    accumulator = mpz(1)
    for position in range(max(factors, default=-1), -1, -1):
        # Squared by hand: powmod with the exponent 2^w would make a table of its own at each window.
        accumulator = accumulator * accumulator % modulus
        for factor in factors.get(position, ()):
            accumulator = accumulator * factor % modulus
    return accumulator


def _odd_powers(base: mpz, window: int, modulus: mpz) -> dict[int, mpz]:
    """b, b³, b⁵, … up to the exponent 2^(w−1) − 1."""
    table, square = {1: base}, base * base % modulus
    for digit in range(3, 1 << (window - 1), 2):
        table[digit] = table[digit - 2] * square % modulus
    return table
