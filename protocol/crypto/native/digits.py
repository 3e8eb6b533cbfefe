"""What a kernel is told of exponents: small digits, by windows that everybody knows.

Digits are bytes, in the order in which they are used: the highest position first, eight lanes side by side.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from gmpy2 import mpz

from protocol.errors import MisuseError

LANES = 8
"""Numbers that a kernel computes with at once."""

SECRET_WINDOW = 5
"""Bits of a digit of a secret exponent."""

MOST_WINDOW = 6
"""Bits of a digit of a shared table."""

MOST_BASES = 1 << 14
"""Of a shared table."""


class PublicSteps(NamedTuple):
    """A power by windows that slide: at each step so many squarings, and a product with base^(2·digit − 1).

    The digit 0 is no product. `odd_powers` of the base are needed: b, b³, … b^(2·odd_powers − 1).
    """

    odd_powers: int
    squarings: tuple[int, ...]
    digits: tuple[int, ...]


def public_steps(exponent: int) -> PublicSteps:
    """The steps of b^e for an exponent e ≥ 0 that everybody knows, with the fewest products.

    Source: D. Knuth, The Art of Computer Programming 2, 4.6.3.
    """
    number = mpz(exponent)
    width = min(range(1, 9), key=lambda one: (1 << (one - 1)) + number.bit_length() / (one + 1))
    places, position = list[tuple[int, int]](), number.bit_scan1(0)
    while position is not None:
        places.append((position, int(number[position : position + width])))
        position = number.bit_scan1(position + width)
    squarings, digits, last = list[int](), list[int](), None
    for place, digit in reversed(places):
        squarings.append(0 if last is None else last - place)
        digits.append((digit + 1) // 2)
        last = place
    return PublicSteps(max(digits, default=1), (*squarings, last or 0), (*digits, 0))


def secret_digits(exponents: Sequence[int]) -> bytes:
    """[position][lane] of at most eight exponents e ≥ 0, each digit below 2^SECRET_WINDOW; other lanes: 0.

    How many positions there are tells the longest exponent's length, and nothing else about them.
    """
    bits = max((int(one).bit_length() for one in exponents), default=0)
    return b"".join(_digits(exponents, -(-bits // SECRET_WINDOW), SECRET_WINDOW))


def signed_digits(rows: Sequence[Sequence[int]], window: int, positions: int) -> bytes:
    """[position][base][lane] of at most eight rows of exponents: the digit d stands as d + 2^(window − 1).

    e + Σ 2^(window − 1)·2^(window·i) has the digits d_i + 2^(window − 1) of e = Σ d_i·2^(window·i). Lanes
    that are left over have e = 0. Raises MisuseError for an exponent that takes more positions.
    """
    half = ((1 << (window * positions)) - 1) // ((1 << window) - 1) << (window - 1)
    filled = [*rows, *[[0] * len(rows[0])] * (LANES - len(rows))]
    columns = [
        _digits([int(one) + half for one in column], positions, window)
        for column in zip(*filled, strict=True)
    ]
    return b"".join(chain.from_iterable(zip(*columns, strict=True)))


def signed_positions(bits: int, window: int) -> int:
    """Digits that exponents of so many bits take, of either sign: as many as hold 2^bits − 1."""
    positions = max(1, -(-bits // window))
    while ((1 << (window * positions)) - 1) // ((1 << window) - 1) * ((1 << (window - 1)) - 1) < (
        1 << bits
    ) - 1:
        positions += 1
    return positions


def fixed_digits(exponents: Sequence[int], window: int, rows: int) -> bytes:
    """[row][lane] of at most eight exponents below 2^(window·rows): the digit of weight 2^(window·row)."""
    return b"".join(reversed(_digits(exponents, rows, window)))


def expected_multiplications(bases: int, rows: int, bits: int, window: int) -> int:
    """How many multiplications of eight numbers a table over so many bases and so many rows take."""
    positions = signed_positions(bits, window)
    filled = -(-bases // LANES) << window
    return filled + -(-rows // LANES) * (positions - 1) * window + -(-rows // LANES) * positions * bases


def shared_window(bases: int, rows: int, bits: int) -> int:
    """The window with the fewest."""
    return min(range(2, MOST_WINDOW + 1), key=lambda one: expected_multiplications(bases, rows, bits, one))


def _digits(numbers: Sequence[int], positions: int, window: int) -> list[bytes]:
    """For each position, the highest first, digits of at most eight numbers from 0 up; 0 in other lanes."""
    length = window * positions
    if any(not 0 <= one < 1 << length for one in numbers):
        raise MisuseError(f"an exponent takes more than {positions} digits of {window} bits")
    lanes = [_digits_of(one, length, window) for one in numbers]
    filled = [*lanes, *[bytes(positions)] * (LANES - len(lanes))]
    return list(map(bytes, zip(*filled, strict=True)))


def _digits_of(number: int, length: int, window: int) -> bytes:
    """Of so many bits, the highest first; all bits are written out once, so that the time is linear."""
    bits = f"{int(number):0{length}b}"
    return bytes(int(bits[at : at + window], 2) for at in range(0, length, window))
