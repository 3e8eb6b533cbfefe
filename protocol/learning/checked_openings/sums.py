"""Whether an encrypted vector is of small integers: 20 random sums of it, masked and opened.

Sum k is Σ_j β_kj·x_j with β_kj uniform below 2^20, drawn when vector and masks are fixed. An honest one is
below 2^b in size. It stands, with 2^b added to make it positive, in a slot of b + 62 bits, under three masks
below 2^(b+40): 20 bits of the slot, and a whole slot above the last, stay empty. The key's holder takes the
digits for in range that three masks allow; a checker, who knows two of the masks, those that one allows.

Soundness. Let two values β ≠ β′ of one coefficient of sum k pass, all others alike, c_k = β − β′. Then the
plaintexts, known masks off, differ by c_k·2^(slot·k)·x_j = Δ_k mod n, a number with digits below 2^(slot−21)
in size. If that holds in slots k and k + 1, then 2^slot·c_{k+1}·Δ_k = c_k·Δ_{k+1} modulo n and, with a slot
free on top, between integers; digits of either side are below 2^(slot−1), so they are equal one by one. So,
from slot to slot, all of Δ_0 but its lowest digit is nothing, and x_j = δ/c_0 mod n with a small δ; or x_j
passes with 2^-20. If it is no integer, the values of β_kj that pass are alike modulo a factor of c_0, half of
all at most in each of 20 sums: 2^-20 again. An integer of 2^(b+21) or more puts sum k in range for little
more than half of all β_kj, 2^-20 together, and one of 2^(b+22) for a quarter, 2^-39. Differences c_k are
units modulo n, which has no factor below 2^20.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from protocol.crypto.cipher import (
    Ciphertext,
    Opening,
    PowerTables,
    PrivateKey,
    PublicKey,
    SlotLayout,
    open_ciphertexts,
    pack_plain,
    unpack,
    verify_openings,
)
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker
from protocol.crypto.ring.shares import Share, ShareForm
from protocol.errors import MisuseError, ProtocolViolation, WidthError

VECTORS = 20
COEFFICIENT_BITS = 20
"""Of random coefficients: a difference of two must be invertible modulo n, whose factors exceed 2^20."""
DECIDED_BITS = 22
"""An integer so much longer than a sum passes with 2^-39."""
MASK_BITS = 40
"""How much wider than a sum its mask is."""
BAD_OPENING = "bad_opening"
_MASKS = len(Maker)
_CARRY_BITS = 2
"""For the sum and three masks together."""
_WINDOW = 5

Coefficients = list[list[int]]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class SumWidths:
    """Slots of sums below 2^value_bits in size, `VECTORS` of them for each vector."""

    value_bits: int
    layout: SlotLayout

    @classmethod
    def fit(cls, key_bits: int, value_bits: int) -> "SumWidths":
        """As many as leave a slot free on top; raises WidthError where not one does."""
        slot = value_bits + MASK_BITS + _CARRY_BITS + COEFFICIENT_BITS
        count = (key_bits - 1) // slot - 1
        if count < 1:
            raise WidthError(
                f"a checked sum and the slot above it need {2 * slot} bits, but the key has {key_bits}; "
                "use a longer key or smaller bounds"
            )
        return cls(value_bits, SlotLayout(slot, 1 << value_bits, min(count, VECTORS)))

    @property
    def plaintexts(self) -> int:
        """For the sums of one vector."""
        return self.layout.plaintexts(VECTORS)

    def share_form(self, vectors: int) -> ShareForm:
        """Masks for the sums of so many vectors."""
        bound = 1 << (self.value_bits + MASK_BITS)
        one = tuple((bound,) * (chunk.stop - chunk.start) for chunk in self.layout.chunks(VECTORS))
        return ShareForm(self.layout.slot_bits, one * vectors)

    def in_range(self, plaintexts: Sequence[int], masks: int) -> bool:
        """Whether sums below 2^b in size, under so many masks, can make these; the slot on top is empty."""
        limit = 2 * self.layout.offset + (masks << (self.value_bits + MASK_BITS))
        digits = unpack(plaintexts, VECTORS, self.layout)
        above = (
            int(one) >> (self.layout.slot_bits * (chunk.stop - chunk.start))
            for one, chunk in zip(plaintexts, self.layout.chunks(VECTORS), strict=True)
        )
        return all(digit < limit for digit in digits) and not any(above)


def draw_coefficients(stream: Randomness, parameters: int) -> Coefficients:
    """β, a row of p for each sum, from the chance of a ring."""
    return [[stream.bits(COEFFICIENT_BITS) for _ in range(parameters)] for _ in range(VECTORS)]


def random_sums(
    key: PublicKey, vector: Sequence[Ciphertext], coefficients: Coefficients, widths: SumWidths
) -> list[Ciphertext]:
    """The packed sums of p checked ciphertexts with their offsets, unblinded: packed in the exponents."""
    tables = PowerTables(vector, key.n_squared, _WINDOW)
    found = []
    for chunk in widths.layout.chunks(VECTORS):
        rows = coefficients[chunk]
        exponents = [pack_plain(column, widths.layout) for column in zip(*rows, strict=True)]
        offset = pack_plain([widths.layout.offset] * len(rows), widths.layout)
        found.append(tables.product(exponents) * key.lift(offset) % key.n_squared)
    return found


def open_sums(
    private_key: PrivateKey, widths: SumWidths, product: Sequence[Ciphertext]
) -> list[tuple[Opening, ...] | None]:
    """The key holder's answer for each vector, of a product that three makers signed; for checkers alone.

    None is "out of range": whatever it is instead, nobody is shown it.
    """
    answers: list[tuple[Opening, ...] | None] = []
    for openings in per_vector(open_ciphertexts(private_key, product), widths):
        fits = widths.in_range([int(one.plaintext) for one in openings], _MASKS)
        answers.append(openings if fits else None)
    return answers


def vectors_out_of_range(
    key: PublicKey,
    widths: SumWidths,
    product: Sequence[Ciphertext],
    answers: Sequence[tuple[Opening, ...] | None],
    known: tuple[Share, Share] | None,
    stream: Randomness,
) -> list[int]:
    """A checker's word on which vectors are, by their place in the product that was opened.

    Those that the key's holder says are, and those that are when the two masks are off that the checker
    knows; `known` is None for who knows none. Raises ProtocolViolation("bad_opening") where the openings are
    not those of the product.
    """
    asked = per_vector(product, widths)
    _require_openings(key, widths, asked, answers, stream)
    masks, left = _known_masks(known, len(product))
    found = []
    for place, (openings, taken) in enumerate(zip(answers, per_vector(masks, widths), strict=True)):
        if openings is None or not widths.in_range(_without(openings, taken), left):
            found.append(place)
    return found


def _known_masks(known: tuple[Share, Share] | None, count: int) -> tuple[list[int], int]:
    """What to take off each plaintext, and how many masks stay on it."""
    if known is None:
        return [0] * count, _MASKS
    own, shown = known
    if own.maker is shown.maker:
        raise MisuseError("a checker knows two masks: its own, and that of the maker before it")
    return [a + b for a, b in zip(own.plaintexts, shown.plaintexts, strict=True)], _MASKS - 2


def per_vector(flat: Sequence[Item], widths: SumWidths) -> list[tuple[Item, ...]]:
    """A flat list by the vectors whose sums it is about."""
    step = widths.plaintexts
    return [tuple(flat[start : start + step]) for start in range(0, len(flat), step)]


def _without(openings: Sequence[Opening], masks: Sequence[int]) -> list[int]:
    return [int(one.plaintext) - mask for one, mask in zip(openings, masks, strict=True)]


def _require_openings(
    key: PublicKey,
    widths: SumWidths,
    asked: Sequence[Sequence[Ciphertext]],
    answers: Sequence[tuple[Opening, ...] | None],
    stream: Randomness,
) -> None:
    if len(answers) != len(asked):
        raise ProtocolViolation(BAD_OPENING, f"{len(answers)} answers; {len(asked)} expected")
    shown = [(group, one) for group, one in zip(asked, answers, strict=True) if one is not None]
    if any(len(openings) != widths.plaintexts for _, openings in shown):
        raise ProtocolViolation(BAD_OPENING, f"{widths.plaintexts} openings of each vector are expected")
    ciphertexts = [one for group, _ in shown for one in group]
    openings = [one for _, group in shown for one in group]
    if not verify_openings(key, ciphertexts, openings, stream):
        raise ProtocolViolation(BAD_OPENING, "an opening is not what its ciphertext holds")
