"""The metric: mean squared errors of models nobody can read, on rows nobody shows.

A validator with factor R forms Enc(r) = R·(Enc θ, −1), p + 1 entries however many rows, and sends it masked.
The buyer multiplies what it cannot read; the validator takes the masks out of the products. Per trainer this
gives q_t = ⟨r_t, r_t⟩ and c_t = ⟨r_t, Σ_s r_s⟩, enough for every coalition's error.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocol.codec import pack as encode_model
from protocol.codec import unpack as decode_model
from protocol.crypto.cipher import (
    Ciphertext,
    Mask,
    PrivateKey,
    PublicKey,
    SlotLayout,
    add_mask,
    blind_for_key_holder,
    linear_combinations,
    pack,
    pack_plain,
    unpack,
    write_ciphertexts,
)
from protocol.crypto.exchange import agree
from protocol.crypto.fixed_point import encode, encode_matrix
from protocol.crypto.randomness import Randomness
from protocol.learning.scales import COEFFICIENT_SCALE, METRIC_SCALE, NOISE_BITS, RESIDUAL_SCALE
from protocol.learning.widths import Widths
from protocol.records import FIXED_POINT
from protocol.types import BigInteger, FrozenModel

Matrix = NDArray[np.float64]
Residuals = list[list[Ciphertext]]


class Metrics(NamedTuple):
    """v₀ (where measured), q and c as target² × 1e18."""

    start: int | None
    own: list[int]
    cross: list[int]


class _Kept(FrozenModel):
    rhos: tuple[BigInteger, ...]
    start: bool
    residuals: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True)
class ResidualState:
    """What a validator keeps between sending masked residuals and taking the masks out again."""

    mask: Mask
    start: bool
    residuals: Residuals

    def to_bytes(self, key: PublicKey) -> bytes:
        """Bytes for the validator's own store."""
        vectors = tuple(tuple(write_ciphertexts(key, vector)) for vector in self.residuals)
        return encode_model(_Kept(rhos=self.mask.rhos, start=self.start, residuals=vectors))

    @classmethod
    def from_bytes(cls, content: bytes) -> "ResidualState":
        """The state from `to_bytes`."""
        kept = decode_model(_Kept, content)
        vectors = [[Ciphertext(int.from_bytes(c, "big")) for c in vector] for vector in kept.residuals]
        return cls(Mask(kept.rhos), kept.start, vectors)


def masked_residuals(
    key: PublicKey,
    factor: Matrix,
    models: Sequence[Sequence[Ciphertext]],
    *,
    start: Sequence[Ciphertext] | None,
    widths: Widths,
    randomness: Randomness,
) -> tuple[list[Ciphertext], ResidualState]:
    """Step 1, the validator's: packed residuals of all models under one mask per plaintext, for the buyer.

    `factor` is R/√m, (p+1)×(p+1); `models` are T updates at scale f + g; `start` the model at scale f that
    the round began with, where it is measured.
    """
    rows = encode_matrix(factor[:, :-1], COEFFICIENT_SCALE)
    last = encode(factor[:, -1], RESIDUAL_SCALE)
    vectors: Residuals = []
    if start is not None:
        # The start model is at scale f: coefficients at scale 2g put its residuals at the common scale.
        fine = encode_matrix(factor[:, :-1], 2 * COEFFICIENT_SCALE)
        vectors.append(_subtract(key, linear_combinations(key, fine, start), last))
    vectors.extend(_subtract(key, linear_combinations(key, rows, model), last) for model in models)
    flat = [entry for vector in vectors for entry in vector]
    mask = Mask.draw(key, widths.residual.plaintexts(len(flat)), randomness.child("mask"))
    packed = add_mask(key, pack(key, flat, widths.residual), mask)
    state = ResidualState(mask, start is not None, vectors)
    return blind_for_key_holder(key, packed, randomness.child("blinding")), state


def products(
    private_key: PrivateKey,
    packed: Sequence[Ciphertext],
    *,
    models: int,
    start: bool,
    residuals: int,
    widths: Widths,
    randomness: Randomness,
) -> tuple[list[Ciphertext], list[Ciphertext]]:
    """Step 2, the buyer's: fresh Enc⟨u_t, u_t⟩ for every model and Enc⟨u_t, Σ_s u_s⟩ for every trainer.

    The digits u are noise to the buyer. `residuals` is p + 1.
    """
    digits = unpack(
        [int(one) for one in private_key.decrypt_all(packed)], models * residuals, widths.residual
    )
    vectors = [digits[i * residuals : (i + 1) * residuals] for i in range(models)]
    trainers = vectors[int(start) :]
    total = [sum(column) for column in zip(*trainers, strict=True)]
    own = private_key.encrypt_all([_dot(u, u) for u in vectors], randomness)
    cross = private_key.encrypt_all([_dot(u, total) for u in trainers], randomness)
    return own, cross


def encrypted_metrics(
    key: PublicKey,
    state: ResidualState,
    own: Sequence[Ciphertext],
    cross: Sequence[Ciphertext],
    *,
    rows: int,
    widths: Widths,
    target_range: Decimal,
    zero_sum: Sequence[int],
    randomness: Randomness,
    noise: bool = True,
) -> list[Ciphertext]:
    """Steps 3 and 4, the validator's: packed m·(v₀, q, c), low bits noisy, under zero-sum masks, for all.

    Takes the masks out: ⟨r, r⟩ = ⟨u, u⟩ − 2⟨ρ, r⟩ − ⟨ρ, ρ⟩ and likewise the cross terms. `noise=False` is for
    tests of the arithmetic.
    """
    size = len(state.residuals[0])
    count = size * len(state.residuals)
    digits = state.mask.digits(count, widths.residual)
    masks = [digits[i * size : (i + 1) * size] for i in range(len(state.residuals))]
    values = [
        key.add(product, _take_out(key, [([-2 * d for d in mask], vector)], -_dot(mask, mask)))
        for product, mask, vector in zip(own, masks, state.residuals, strict=True)
    ]
    trainer_masks, trainer_vectors = masks[int(state.start) :], state.residuals[int(state.start) :]
    mask_sum = [sum(column) for column in zip(*trainer_masks, strict=True)]
    vector_sum = [key.add(*column) for column in zip(*trainer_vectors, strict=True)]
    negated_sum = [-d for d in mask_sum]
    for product, mask, vector in zip(cross, trainer_masks, trainer_vectors, strict=True):
        parts = [(negated_sum, vector), ([-d for d in mask], vector_sum)]
        values.append(key.add(product, _take_out(key, parts, -_dot(mask, mask_sum))))
    bound = noise_bound(rows, target_range)
    weighted = [key.multiply(value, rows) for value in values]
    if noise:
        stream = randomness.child("noise")
        weighted = [key.add(v, key.lift(stream.below(bound))) for v in weighted]
    plain_layout = SlotLayout(widths.opening.slot_bits, 0, widths.opening.per_plaintext)
    packed = add_mask(key, pack(key, weighted, plain_layout), Mask(tuple(zero_sum)))
    return blind_for_key_holder(key, packed, randomness.child("blinding"))


def noise_bound(rows: int, target_range: Decimal) -> int:
    """m·(target range)²·2⁻²⁴ at the metric's scale, at least 1."""
    return max(1, int(rows * Fraction(target_range) ** 2 * (1 << (METRIC_SCALE - NOISE_BITS))))


def combine(
    key: PublicKey, vectors: Sequence[Sequence[Ciphertext]], count: int, widths: Widths
) -> list[Ciphertext]:
    """The product over the validators with the public offset added: what the buyer opens, the masks gone."""
    layout = widths.opening
    sums = [key.add(*column) for column in zip(*vectors, strict=True)]
    return [
        key.add(total, key.lift(pack_plain([layout.offset] * (chunk.stop - chunk.start), layout)))
        for total, chunk in zip(sums, layout.chunks(count), strict=True)
    ]


def decode_metrics(
    plaintexts: Sequence[int], *, widths: Widths, trainers: int, rows: int, start: bool
) -> Metrics | None:
    """The opened numbers over Σm = `rows`; None if a slot is out of range or a bit above the last is set."""
    count = widths.metric_count(trainers, start=start)
    layout = widths.opening
    for plaintext, chunk in zip(plaintexts, layout.chunks(count), strict=True):
        if int(plaintext) >> (layout.slot_bits * (chunk.stop - chunk.start)):
            return None
    sums = [digit - layout.offset for digit in unpack(plaintexts, count, layout)]
    if any(abs(value) >= layout.offset for value in sums):
        return None
    values = [value * FIXED_POINT // (rows << METRIC_SCALE) for value in sums]
    first = values.pop(0) if start else None
    return Metrics(first, values[:trainers], values[trainers:])


def zero_sum_masks(
    key: PublicKey, *, own_address: str, secret: bytes, others: Mapping[str, bytes], place: bytes, count: int
) -> list[int]:
    """One mask modulo n per packed plaintext; over all members of the attempt they add up to zero.

    Each pair derives |n| + 128 bits from its X25519 secret by HKDF over `place` (training, round, attempt,
    members, digests), both addresses and the index; the lower address adds, the higher subtracts. `others`
    maps address to exchange key (Bonawitz et al., "Practical secure aggregation", CCS 2017, section 4).
    Raises ProtocolViolation("unusable_exchange_key") for a key of low order.
    """
    n = int(key.n)
    masks = [0] * count
    for address, exchange_key in others.items():
        shared = agree(secret, exchange_key)
        sign = 1 if own_address < address else -1
        # The pair's addresses: with a key that two members share, two masks would be equal, and may vanish.
        pair = place + "".join(sorted((own_address, address))).encode()
        for index in range(count):
            material = _hkdf(shared, pair + index.to_bytes(4, "big"), (key.bits + 128 + 7) // 8)
            masks[index] = (masks[index] + sign * int.from_bytes(material, "big")) % n
    return masks


def _hkdf(secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with SHA-256 and an empty salt."""
    extracted = hmac.digest(b"\0" * 32, secret, "sha256")
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.new(extracted, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
        counter += 1
    return output[:length]


def _dot(left: Sequence[int], right: Sequence[int]) -> int:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _subtract(
    key: PublicKey, ciphertexts: Sequence[Ciphertext], constants: Sequence[int]
) -> list[Ciphertext]:
    return [key.add(c, key.lift(-constant)) for c, constant in zip(ciphertexts, constants, strict=True)]


def _take_out(
    key: PublicKey, parts: Sequence[tuple[list[int], Sequence[Ciphertext]]], constant: int
) -> Ciphertext:
    """Σ coefficients·ciphertexts over the parts, plus a constant."""
    coefficients = [c for row, _ in parts for c in row]
    ciphertexts = [c for _, vector in parts for c in vector]
    return key.add(linear_combinations(key, [coefficients], ciphertexts)[0], key.lift(constant))
