"""Rows of signed integers times an encrypted vector: the one hot primitive.

Simultaneous multi-exponentiation by interleaved windows (E. Straus, 1964; B. Möller, SAC 2001): one chain of
squarings per row, tables of odd and even multiples shared by all rows, negative digits through one batched
inversion (P. Montgomery, 1987). Results carry no fresh randomness: they leave only through `blinding`.
"""

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
    digits = [[_signed_digits(int(a), window) for a in row] for row in rows]
    negative = any(digit < 0 for row in digits for entry in row for digit in entry)
    modulus = key.n_squared
    half = 1 << (window - 1)
    positive_tables = [_multiples(c, half, modulus) for c in ciphertexts]
    inverses = batch_invert(ciphertexts, modulus) if negative else []
    negative_tables = [_multiples(c, half, modulus) for c in inverses]
    return [_row(row, positive_tables, negative_tables, window, modulus) for row in digits]


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
    """The window with the fewest products: tables cost 2·2^(w−1) per column, digits bits/w per row."""
    return min(range(2, 8), key=lambda w: (2 << (w - 1)) + rows * (bits / w + 1))


def _signed_digits(value: int, window: int) -> list[int]:
    """Digits in [−2^(w−1), 2^(w−1)), lowest first, of a signed integer."""
    digits: list[int] = []
    base, half = 1 << window, 1 << (window - 1)
    while value:
        digit = value & (base - 1)
        if digit >= half:
            digit -= base
        digits.append(digit)
        value = (value - digit) >> window
    return digits


def _multiples(ciphertext: mpz, count: int, modulus: mpz) -> list[mpz]:
    table = [mpz(1), ciphertext]
    for _ in range(count - 1):
        table.append(table[-1] * ciphertext % modulus)
    return table


def _row(
    digits: list[list[int]], positive: list[list[mpz]], negative: list[list[mpz]], window: int, modulus: mpz
) -> mpz:
    length = max(map(len, digits))
    accumulator = mpz(1)
    power = 1 << window
    for position in range(length - 1, -1, -1):
        if accumulator != 1:
            accumulator = gmpy2.powmod(accumulator, power, modulus)
        for column, entry in enumerate(digits):
            if position >= len(entry):
                continue
            digit = entry[position]
            if digit > 0:
                accumulator = accumulator * positive[column][digit] % modulus
            elif digit < 0:
                accumulator = accumulator * negative[column][-digit] % modulus
    return accumulator
