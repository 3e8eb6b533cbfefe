"""A checker's question: are the products P_ij those of the signed updates?

It draws secret 64-bit β_1 … β_d, makes Enc⟨β, θ̃_t⟩ of the updates, and has them multiplied as all weights
were (`moments`), for vectors of a single entry: products w. (Of K targets, whose weights have the same XᵀX,
β has p entries for the weights of every target and one for the −1 of each; a vector has an entry for each
target, and w is the sum of their squares.) If all are right then
Z = Σ_{i≤j} β_i·β_j·P_ij − w = 0. Products that are wrong by δ and w wrong by ε pass only if
Σ β_i·β_j·δ_ij = ε, with probability 2·2⁻⁶⁴ for who does not know β (J. Schwartz, 1980). Several slot sets are
tested together, Z = Σ Z_s·f_s with f_1 = 1 and other f_s of 64 bits that are drawn after w is given: under
any that could be foreseen, +ε in one set would take away −ε in another. What is opened is Enc(Z·a) with a
uniform and a fresh n-th power, so that it tells whether Z is zero, and nothing else.

Everything of a question follows from two seeds of 32 bytes, one drawn before it and one after its answer;
who is shown them holds both messages against them, up to factors −1. Both serve once: a second question
under the same β would show the key's holder, who has read the first one's digits, how two models differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from protocol.crypto.cipher import (
    Ciphertext,
    PublicKey,
    RootedProduct,
    SlotLayout,
    combined,
    product_of_powers,
)
from protocol.crypto.randomness import SEED_BYTES, Randomness
from protocol.errors import MisuseError
from protocol.learning.moments.exchange import (
    MINUS_ONE,
    MomentMask,
    SetAnswer,
    vector_count,
    vector_tables,
)
from protocol.learning.moments.products import Products
from protocol.learning.moments.widths import MomentWidths, SlotSet
from protocol.learning.scales import CARRY_BITS

COEFFICIENT_BITS = 64
"""Of a β, and of an f."""

_UNIT = Ciphertext(1)


@dataclass(frozen=True, slots=True)
class Seeds:
    """Of a question and of its zero test."""

    question: bytes = field(repr=False)
    test: bytes = field(repr=False)

    def are_seeds(self) -> bool:
        """Whether both are 32 bytes."""
        return all(isinstance(one, bytes) and len(one) == SEED_BYTES for one in (self.question, self.test))


@dataclass(frozen=True)
class Projection:
    """What is asked about, the same to all: signed updates, and the products made of them.

    `vectors` are the trainers' updates, p ciphertexts each, followed by the start where that is encrypted;
    `moments` the products of all slot sets; `widths` those of `projection_widths`.
    """

    vectors: Sequence[Sequence[Ciphertext]] = field(repr=False)
    moments: tuple[Products, ...]
    widths: MomentWidths

    def __post_init__(self) -> None:
        """Raise MisuseError where vectors and slot sets do not belong together."""
        if not self.moments or len(self.vectors) != vector_count(self.sets):
            raise MisuseError(f"{len(self.vectors)} vectors; {vector_count(self.sets)} are in the slot sets")

    @property
    def key(self) -> PublicKey:
        """Whose holder is asked."""
        return self.moments[0].key

    @property
    def trainers(self) -> int:
        """How many of the vectors are trainers'."""
        return self.moments[0].trainers

    @property
    def sets(self) -> tuple[SlotSet, ...]:
        """The slot sets."""
        return tuple(one.slot_set for one in self.moments)

    def request(self, seed: bytes) -> list[Ciphertext]:
        """Enc⟨β, θ̃_t⟩ of all vectors, packed, masked and blinded."""
        return [one.ciphertext(self.key) for one in self.request_products(seed)]

    def request_products(self, seed: bytes) -> list[RootedProduct]:
        """What each plaintext of it is made of: the weights' powers share the squarings of packing."""
        beta, beside = self._beta(seed)
        mask, layout, tables = self._mask(seed), self.widths.request, vector_tables(self.key, self.vectors)
        weights = [weight for vector in self.vectors for weight in vector]
        products = list[RootedProduct]()
        chunks = layout.chunks(len(self.vectors) * len(beside))
        for chunk, rho, root in zip(chunks, mask.mask.rhos, mask.roots, strict=True):
            places, entries = range(chunk.start, chunk.stop), _entries(chunk, len(beta))
            bases = weights[entries]
            shifts = [layout.slot_bits * (place - chunk.start) for place in places]
            exponents = [factor << shift for shift in shifts for factor in beta]
            lasts = [beside[place % len(beside)] * MINUS_ONE + layout.offset for place in places]
            plain = sum(last << shift for last, shift in zip(lasts, shifts, strict=True))
            kept = None if tables is None else tables.part(entries)
            products.append(RootedProduct(bases, exponents, plain + rho, root, kept))
        return products

    def zero(self, seeds: Seeds, answer: Sequence[SetAnswer]) -> Ciphertext:
        """Enc(a·Σ_s f_s·Z_s)."""
        return self.zero_product(seeds, answer).ciphertext(self.key)

    def zero_product(self, seeds: Seeds, answer: Sequence[SetAnswer]) -> RootedProduct:
        """What the same is made of: Enc(Σ_s f_s·Z_s) to the power a, blinded.

        An f_s after the products of its set: in their exponents it would make all of them longer.
        """
        key, stream = self.key, Randomness(seeds.test)
        (own, beside), factors = self._beta(seeds.question), self.factors(stream)
        beta, asked_once = [*own, *beside], [-1, *(0 for _ in beside), 0]
        sets = zip(self.moments, self._projected(seeds.question, answer), strict=True)
        parts = [
            combined(key, [*one.combination_of_squares(beta), *asked.combination_once(asked_once)])
            for one, asked in sets
        ]
        exponent = int(stream.child("exponent").unit(key.n))
        total = product_of_powers(parts, factors, key.n_squared)
        return RootedProduct([total], [exponent], 0, stream.child("root").unit(key.n))

    def factors(self, stream: Randomness) -> list[int]:
        """f_s of all slot sets, from the stream of a zero test."""
        drawn = stream.child("factors")
        return [1, *(drawn.bits(COEFFICIENT_BITS) for _ in self.moments[1:])]

    def _projected(self, seed: bytes, answer: Sequence[SetAnswer]) -> list[Products]:
        """The products of the combinations; those beside the last entry, −1, are asked for by nobody."""
        masks = self._mask(seed).digits(len(self.vectors), self.widths)
        found: list[Products] = []
        for one, given in zip(self.moments, answer, strict=True):
            padded = given._replace(products=[*given.products, *[_UNIT] * self.widths.targets])
            start = self._projected_start(seed, one.start)
            found.append(Products(self.key, one.slot_set, padded, masks, self.trainers, self.widths, start))
        return found

    def _projected_start(self, seed: bytes, start: Sequence[int]) -> list[int]:
        """⟨β, θ̃⟩ of a public start, for each target; zeros where it is not measured."""
        beta, beside = self._beta(seed)
        blocks = [start[at : at + len(beta)] for at in range(0, len(start), len(beta))]
        if not blocks:
            return [0] * len(beside)
        return [
            sum(b * x for b, x in zip(beta, block, strict=True)) + last * MINUS_ONE
            for block, last in zip(blocks, beside, strict=True)
        ]

    def _beta(self, seed: bytes) -> tuple[list[int], list[int]]:
        """β of the weights, which all targets share, and of the −1 beside those of each target."""
        stream, targets = Randomness(seed).child("coefficients"), self.widths.targets
        size = self._parameters // targets
        beta = [stream.bits(COEFFICIENT_BITS) for _ in range(size + targets)]
        return beta[:size], beta[size:]

    def _mask(self, seed: bytes) -> MomentMask:
        stream = Randomness(seed).child("mask")
        entries = len(self.vectors) * self.widths.targets
        return MomentMask.draw(self.key, entries, self.widths.request, stream)

    @cached_property
    def _parameters(self) -> int:
        return self.moments[0].widths.parameters


def _entries(blocks: slice, size: int) -> slice:
    """Of the weights of all vectors, those of some targets' blocks."""
    return slice(blocks.start * size, blocks.stop * size)


def projection_widths(widths: MomentWidths, key_bits: int) -> MomentWidths:
    """Those of vectors of a single entry ⟨β, θ̃⟩ for each target, where `widths` are a training's.

    Products stand in the same slots. Raises WidthError where a key of so many bits has no room for an entry.
    """
    extra = COEFFICIENT_BITS + widths.parameters.bit_length()
    request = SlotLayout.fit(key_bits, widths.request.slot_bits + extra, 0, CARRY_BITS)
    return MomentWidths(widths.targets, request, widths.bound_bits, widths.products, widths.targets)
