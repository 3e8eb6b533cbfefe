"""Noise in the opened errors: three shares, of which nobody knows all.

An opened error is an exact integer of some 280 bits, and all but the first few would be a channel through
which a chosen model reads rows. Each value in its slot carries three shares below Σw·(target range)²·2⁻²⁴/3
at its scale: together they move it by 2⁻²⁴ of what it is where residuals are as wide as the target's range,
and by some 10⁻⁶ where they are a quarter of it. The shares are made and shown in a ring
(`protocol.crypto.ring`), so nobody moves it by more; the aggregator's brings the rⁿ under which the product
goes to the key's holder.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from protocol.crypto.cipher import Ciphertext, PublicKey
from protocol.crypto.ring.context import Maker
from protocol.crypto.ring.shares import ShareForm
from protocol.errors import WidthError
from protocol.learning.moments.widths import MomentWidths, SlotSet
from protocol.learning.scales import ENTRY_SCALE, NOISE_BITS, UPDATE_SCALE


def noise_bound(weights: int, target_range: Decimal) -> int:
    """Of one share: Σw·(declared target range)²·2⁻²⁴/3 at the products' scale 2s + h, at least 1."""
    scale = 2 * UPDATE_SCALE + ENTRY_SCALE - NOISE_BITS
    return max(1, int(weights * Fraction(target_range) ** 2 * (1 << scale) / len(Maker)))


def noise_form(
    widths: MomentWidths, sets: Sequence[SlotSet], weights: int, target_range: Decimal
) -> ShareForm:
    """One plaintext for each slot set, a value for each of its slots.

    `weights` is the sum over the attempt's members. Raises WidthError for noise above a slot's own bound.
    """
    bound = noise_bound(weights, target_range)
    if len(Maker) * bound >> widths.bound_bits:
        raise WidthError(
            f"noise of {bound.bit_length()} bits on values of {widths.bound_bits}; declare a smaller target "
            "range"
        )
    return ShareForm(widths.products.slot_bits, tuple((bound,) * one.slots for one in sets))


def with_offsets(
    key: PublicKey, metric: Sequence[Ciphertext], sets: Sequence[SlotSet], widths: MomentWidths
) -> list[Ciphertext]:
    """The members' weighted metrics, one ciphertext a slot set, positive in every slot."""
    return [key.add(one, key.lift(widths.offset(where))) for one, where in zip(metric, sets, strict=True)]
