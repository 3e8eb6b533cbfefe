"""Whose weights are out of range? Asked once, when a next model or a projection of the products is wrong.

A trainer's proof bounds its update to some 2^64 times what it should be (`proofs.bounds`). Weights that large
carry from slot to slot under the mask of the moment exchange, and what comes back is wrong through no fault
of the key's holder or the aggregator. So before either is named, the weights of each trainer go through
`sums`, all trainers' under the same coefficients.

`vectors_out_of_range` then names trainers by their place: none whose weights are below 2^weight_bits, and
every one with a weight of 2^(b+22) or more, b the bits of a sum, which is 2^42·p times that.
"""

from collections.abc import Sequence

from protocol.crypto.cipher import Ciphertext, PublicKey
from protocol.learning.checked_openings.sums import COEFFICIENT_BITS, Coefficients, SumWidths, random_sums
from protocol.learning.scales import UPDATE_SCALE


def range_bits(parameters: int, weight_bits: int) -> int:
    """b: of a sum of p weights below 2^weight_bits."""
    return COEFFICIENT_BITS + UPDATE_SCALE + weight_bits + (parameters - 1).bit_length()


def range_widths(key_bits: int, parameters: int, weight_bits: int) -> SumWidths:
    """Of the sums of each local model; raises WidthError as `SumWidths.fit` does."""
    return SumWidths.fit(key_bits, range_bits(parameters, weight_bits))


def range_sums(
    key: PublicKey, updates: Sequence[Sequence[Ciphertext]], coefficients: Coefficients, widths: SumWidths
) -> list[Ciphertext]:
    """The packed sums of every trainer's p weights in turn, unblinded."""
    return [sums for update in updates for sums in random_sums(key, update, coefficients, widths)]
