"""The refresh: updates at scale f + g become the next model at scale f, and the key's holder stays blind.

The aggregator multiplies the updates, packs and masks the sum; the buyer decrypts, divides each slot's digit
by T·2^g and encrypts the quotient freshly; the aggregator subtracts its mask's quotient. The new model is the
average to within one unit of 2⁻⁶⁴.
"""

from collections.abc import Sequence

from protocol.crypto.cipher import (
    Ciphertext,
    Mask,
    PrivateKey,
    PublicKey,
    ShortExponentBlinder,
    add_mask,
    blind_for_key_holder,
    pack,
    unpack,
)
from protocol.crypto.randomness import Randomness
from protocol.learning.widths import Widths


def mask_updates(
    key: PublicKey, updates: Sequence[Sequence[Ciphertext]], widths: Widths, randomness: Randomness
) -> tuple[list[Ciphertext], Mask]:
    """The aggregator's half before: T updates of p ciphertexts → packed masked sum, and the mask to keep."""
    sums = [key.add(*entries) for entries in zip(*updates, strict=True)]
    mask = Mask.draw(key, widths.refresh.plaintexts(len(sums)), randomness.child("mask"))
    packed = add_mask(key, pack(key, sums, widths.refresh), mask)
    return blind_for_key_holder(key, packed, randomness.child("blinding")), mask


def refresh_model(
    private_key: PrivateKey,
    packed: Sequence[Ciphertext],
    count: int,
    divisor: int,
    widths: Widths,
    randomness: Randomness,
) -> list[Ciphertext]:
    """The buyer's part: p fresh encryptions of ⌊digit/(T·2^g)⌋, which tell it nothing under the mask."""
    digits = unpack([int(one) for one in private_key.decrypt_all(packed)], count, widths.refresh)
    return private_key.encrypt_all([digit // divisor for digit in digits], randomness)


def unmask_model(
    key: PublicKey,
    refreshed: Sequence[Ciphertext],
    mask: Mask,
    divisor: int,
    widths: Widths,
    blinder: ShortExponentBlinder,
    randomness: Randomness,
) -> list[Ciphertext]:
    """The aggregator's half after: the new model at scale f, blinded."""
    masks = mask.digits(len(refreshed), widths.refresh)
    unmasked = [
        key.add(ciphertext, key.lift(-(digit // divisor)))
        for ciphertext, digit in zip(refreshed, masks, strict=True)
    ]
    return blinder.blind(unmasked, randomness)
