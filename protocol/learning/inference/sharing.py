"""A trainer's information matrix in integers, as two shares of which each alone is uniformly random.

Entries i ≤ j of m·RᵀR × 2^h, row by row, modulo 2^192: one share is drawn, the other is what is missing. Each
of two checkers adds the shares of all trainers, and the two sums make the pooled matrix. An entry is no
larger than rows × W × 2^h: below 2^63·2^20·2^64 of one owner, 2^155 of 256, so no sum meets the modulus.

Before it is split each entry gets noise of its own, as opened errors do (`NOISE_BITS`): exact integers of
some 150 bits would be a channel through which chosen columns read rows. Noise and not rounding: owners' row
counts differ, and of a sum of multiples of different steps the remainder tells of single owners.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from protocol.crypto.randomness import Randomness
from protocol.inference_terms import ENTRY_BYTES, opened_entries
from protocol.learning.gram import gram_triangle
from protocol.learning.moments.widths import pairs
from protocol.learning.scales import ENTRY_SCALE, NOISE_BITS
from protocol.learning.statistic import Matrix

_MODULUS = 1 << (8 * ENTRY_BYTES)
_DRAWN_BYTES = 16
"""Of what a noise is the upper part of: at the most rows it is uniform but for one part in 2^25."""


def information_triangle(factor: Matrix, rows: int) -> tuple[int, ...]:
    """`gram_triangle` m times, so m·RᵀR·2^h for i ≤ j, from R/√m (p×p) of √W·X between scaled columns."""
    return tuple(rows * entry for entry in gram_triangle(factor))


def share_bytes(parameters: int) -> int:
    """Bytes of a share of p×p."""
    return ENTRY_BYTES * opened_entries(parameters)


def blurred(triangle: Sequence[int], rows: int, chance: Randomness) -> tuple[int, ...]:
    """With uniform noise from 0 up to rows·2⁻²⁴ on each entry."""
    width, bits = rows << (ENTRY_SCALE - NOISE_BITS), 8 * _DRAWN_BYTES
    drawn = chance.bytes(_DRAWN_BYTES * len(triangle))
    starts = range(0, len(drawn), _DRAWN_BYTES)
    noise = (int.from_bytes(drawn[at : at + _DRAWN_BYTES], "big") * width >> bits for at in starts)
    return tuple(entry + one for entry, one in zip(triangle, noise, strict=True))


def split(triangle: Sequence[int], chance: Randomness) -> tuple[bytes, bytes]:
    """Two shares; either one says nothing about the matrix."""
    drawn = chance.bytes(ENTRY_BYTES * len(triangle))
    missing = (value - share for value, share in zip(triangle, _numbers(drawn), strict=True))
    return drawn, _packed(missing)


def added(first: bytes, second: bytes) -> bytes:
    """The sum of two shares, or sums of shares, of as many entries."""
    return _packed(a + b for a, b in zip(_numbers(first), _numbers(second), strict=True))


def opened(first: bytes, second: bytes, parameters: int) -> Matrix:
    """The pooled information (p×p) of the two checkers' sums, each `share_bytes` long."""
    half = _MODULUS >> 1
    matrix = np.zeros((parameters, parameters))
    places = zip(pairs(parameters), _numbers(added(first, second)), strict=True)
    for (i, j), entry in places:
        signed = entry - _MODULUS if entry >= half else entry
        matrix[i, j] = matrix[j, i] = signed / (1 << ENTRY_SCALE)
    return matrix


def _numbers(share: bytes) -> list[int]:
    return [int.from_bytes(share[at : at + ENTRY_BYTES], "big") for at in range(0, len(share), ENTRY_BYTES)]


def _packed(values: Iterable[int]) -> bytes:
    return b"".join((value % _MODULUS).to_bytes(ENTRY_BYTES, "big") for value in values)
