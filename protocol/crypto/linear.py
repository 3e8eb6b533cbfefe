"""Rows of signed integers times an encrypted vector: the one hot primitive.

Simultaneous multi-exponentiation by interleaved sliding windows (E. Straus, 1964; B. Möller, SAC 2001): one
chain of squarings per row, tables of odd powers shared by all rows, negative digits through one batched
inversion (P. Montgomery, 1987). Results carry no fresh randomness: they leave only through `blinding`.
"""

from collections import defaultdict
from collections.abc import Sequence

import gmpy2
from gmpy2 import mpz

from protocol.crypto.paillier import PublicKey
from protocol.errors import MisuseError


def linear_combinations(
    key: PublicKey, rows: Sequence[Sequence[int]], ciphertexts: Sequence[mpz]
) -> list[mpz]:
    """Π_j c_j^(a_ij) mod n² for each row i: the ciphertexts of rows·plaintexts, unblinded.

    `rows` is any number of rows of len(ciphertexts) signed integers. Raises MisuseError for ragged rows.
    """
    columns = len(ciphertexts)
    if any(len(row) != columns for row in rows):
        raise MisuseError(f"every row needs {columns} coefficients, one for each ciphertext")
    if not rows:
        return []
    bits = max((int(a).bit_length() for row in rows for a in row), default=0)
    if bits == 0:
        return [mpz(1) for _ in rows]
    window = _window(bits, len(rows))
    digits = [[sliding_digits(int(a), window) for a in row] for row in rows]
    negative = any(digit < 0 for row in digits for entry in row for _, digit in entry)
    modulus = key.n_squared
    tables = [_odd_powers(c, window, modulus) for c in ciphertexts]
    if negative:
        for table, inverse in zip(tables, batch_invert(ciphertexts, modulus), strict=True):
            powers = _odd_powers(inverse, window, modulus)
            table.update({-digit: power for digit, power in powers.items()})
    return [_row(row, tables, modulus) for row in digits]


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


def _window(bits: int, rows: int) -> int:
    """The window with the fewest products: tables cost 2·2^(w−2) per column, digits bits/(w + 1) per row."""
    return min(range(2, 9), key=lambda w: (2 << (w - 2)) + rows * bits / (w + 1))


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


def _odd_powers(ciphertext: mpz, window: int, modulus: mpz) -> dict[int, mpz]:
    """c, c³, c⁵, … up to the exponent 2^(w−1) − 1."""
    table, square = {1: ciphertext}, ciphertext * ciphertext % modulus
    for digit in range(3, 1 << (window - 1), 2):
        table[digit] = table[digit - 2] * square % modulus
    return table


def _row(digits: list[list[tuple[int, int]]], tables: list[dict[int, mpz]], modulus: mpz) -> mpz:
    factors: defaultdict[int, list[mpz]] = defaultdict(list)
    for table, entry in zip(tables, digits, strict=True):
        for position, digit in entry:
            factors[position].append(table[digit])
    accumulator = mpz(1)
    for position in range(max(factors, default=-1), -1, -1):
        # Squared by hand: powmod with the exponent 2^w would make a table of its own at each window.
        accumulator = accumulator * accumulator % modulus
        for factor in factors.get(position, ()):
            accumulator = accumulator * factor % modulus
    return accumulator
