"""The ciphertexts of an attempt, which several parties multiply, or hold against what makes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import gmpy2

from protocol.crypto.cipher import Ciphertext, Mask, PublicKey, read_ciphertexts
from protocol.crypto.fixed_point import encode
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.commitments import statement_digest
from protocol.learning.checked_openings.next_model import NextModelWidths, checked_numbers
from protocol.learning.checked_openings.noise import with_offsets
from protocol.learning.checked_openings.ranges import range_sums
from protocol.learning.checked_openings.sums import SumWidths, draw_coefficients, random_sums
from protocol.learning.moments.exchange import (
    MomentAnswer,
    MomentMask,
    read_answer,
    request_length,
    vector_count,
)
from protocol.learning.moments.products import Products, products
from protocol.learning.moments.widths import MomentWidths, SlotSet, Start
from protocol.learning.scales import COEFFICIENT_SCALE, MODEL_SCALE
from protocol.request import Request


@dataclass(frozen=True)
class MomentExchange:
    """One exchange of moments, the same to all: how many trainers, and how the start is measured.

    `public` are the integers of a public start at the updates' scale, nothing where it is not measured so.
    `rescales` says that each trainer's model comes back at the next one's scale (`learning.consensus`).
    """

    key: PublicKey
    widths: MomentWidths
    trainers: int
    start: Start
    public: tuple[int, ...] = ()
    rescales: bool = False

    @classmethod
    def of(
        cls, key: PublicKey, widths: MomentWidths, trainers: int, start: Start, request: Request
    ) -> "MomentExchange":
        """Of a training's request."""
        public = public_start(request) if start is Start.PUBLIC else ()
        return cls(key, widths, trainers, start, public, request.schedule.is_admm)

    @property
    def sets(self) -> tuple[SlotSet, ...]:
        """The slot sets."""
        return self.widths.sets(self.trainers, self.start)

    @property
    def vectors(self) -> int:
        """Vectors in the request: the trainers', and an encrypted start's."""
        return vector_count(self.sets)

    @property
    def values(self) -> int:
        """Weights in the request."""
        return self.vectors * self.widths.parameters

    def measured(
        self, updates: Sequence[Sequence[Ciphertext]], start: Sequence[Ciphertext]
    ) -> list[list[Ciphertext]]:
        """The vectors of checked updates (scale s) and a start (scale f): the start's last, if it has one."""
        found = [list(update) for update in updates]
        if self.start is Start.ENCRYPTED:
            found.append([self.key.multiply(weight, 1 << COEFFICIENT_SCALE) for weight in start])
        return found

    def read_request(self, numbers: Sequence[bytes]) -> list[Ciphertext]:
        """The checked ciphertexts of a request; raises ProtocolViolation as `read_ciphertexts` does."""
        return read_ciphertexts(self.key, numbers, request_length(self.sets, self.widths))

    def read_answer(self, numbers: Sequence[bytes]) -> MomentAnswer:
        """The checked answer; raises ProtocolViolation("wrong_count") or ("bad_ciphertext")."""
        checked = read_ciphertexts(self.key, numbers, len(numbers))
        parameters, targets = self.widths.parameters, self.widths.targets
        return read_answer(checked, self.sets, parameters, targets, self.rescaled)

    @property
    def rescaled(self) -> int:
        """How many models an answer has at the next one's scale."""
        return self.trainers if self.rescales else 0

    def read_rescaled(self, numbers: Sequence[bytes]) -> list[list[Ciphertext]]:
        """θ̂_t as `RoundEvidence` shows them, p checked ciphertexts for each; raises as `read_ciphertexts`."""
        p = self.widths.parameters
        flat = read_ciphertexts(self.key, numbers, self.rescaled * p)
        return [flat[at : at + p] for at in range(0, len(flat), p)]

    def products(self, answer: MomentAnswer, mask: MomentMask) -> tuple[Products, ...]:
        """The P_ij of every slot set, from a mask that passed `MomentMask.require`."""
        digits = mask.digits(self.vectors, self.widths)
        return products(self.key, answer, digits, self.trainers, self.sets, self.widths, self.public)


def public_start(request: Request) -> tuple[int, ...]:
    """The public start's weights as integers at the updates' scale."""
    weights = encode([float(weight) for weight in request.start_weights()], MODEL_SCALE)
    return tuple(int(weight) << COEFFICIENT_SCALE for weight in weights)


def write_mask(key: PublicKey, mask: MomentMask) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """ρ and r of each plaintext, big end first, as long as n: what `RoundEvidence` holds."""
    length = (key.bits + 7) // 8
    rhos, roots = (
        [int(one).to_bytes(length, "big") for one in some] for some in (mask.mask.rhos, mask.roots)
    )
    return tuple(rhos), tuple(roots)


def read_mask(masks: Sequence[bytes], roots: Sequence[bytes]) -> MomentMask:
    """A mask as it is shown; `recomputation.request_claims` are about it."""
    rhos = tuple(int.from_bytes(one, "big") for one in masks)
    return MomentMask(Mask(rhos), tuple(gmpy2.mpz(int.from_bytes(one, "big")) for one in roots))


# ---- the next model ----


@dataclass(frozen=True)
class NextModelCheck:
    """What is opened of a next model (scale f): sums of it and of what its division rounded off.

    `model` and `updates` are checked ciphertexts, one update for each trainer in seat order, and where
    trainers carry duals `rescaled` are the updates at the model's scale.
    """

    key: PublicKey
    widths: NextModelWidths
    model: Sequence[Ciphertext] = field(repr=False)
    updates: Sequence[Sequence[Ciphertext]] = field(repr=False)
    rescaled: Sequence[Sequence[Ciphertext]] = field(default=(), repr=False)

    def statement(self) -> bytes:
        """What the makers commit to the opening of, before any vector is drawn."""
        return statement_digest(self.key, self.model, *self.updates, *self.rescaled)

    def sums(self, chance: Randomness) -> list[Ciphertext]:
        """The packed sums under vectors that the ring's chance gives, unblinded."""
        numbers = checked_numbers(self.key, self.model, self.updates, self.widths, self.rescaled)
        coefficients = draw_coefficients(chance, len(numbers))
        return random_sums(self.key, numbers, coefficients, self.widths.sums)


@dataclass(frozen=True)
class RangeCheck:
    """What is opened of the trainers' updates (scale s), one for each trainer in seat order."""

    key: PublicKey
    widths: SumWidths
    updates: Sequence[Sequence[Ciphertext]] = field(repr=False)

    def statement(self) -> bytes:
        """What the makers commit to the opening of, before any vector is drawn."""
        return statement_digest(self.key, *self.updates)

    def sums(self, chance: Randomness) -> list[Ciphertext]:
        """The packed sums of every update under the same vectors, unblinded."""
        coefficients = draw_coefficients(chance, len(self.updates[0]))
        return range_sums(self.key, self.updates, coefficients, self.widths)


# ---- the metric ----


def weighted_product(
    key: PublicKey,
    metrics: Sequence[Sequence[Ciphertext]],
    weights: Sequence[int],
    sets: Sequence[SlotSet],
    widths: MomentWidths,
) -> list[Ciphertext]:
    """Π X_v^(w_v) with the public offset, a ciphertext for each slot set.

    `metrics` are the members' checked ones, and `weights` theirs, both in seat order.
    """
    weighted = (
        [key.multiply(one, weight) for one in metric] for metric, weight in zip(metrics, weights, strict=True)
    )
    total = [key.add(*column) for column in zip(*weighted, strict=True)]
    return with_offsets(key, total, sets, widths)


def with_shares(
    key: PublicKey, product: Sequence[Ciphertext], shares: Sequence[Sequence[Ciphertext]]
) -> list[Ciphertext]:
    """The product as the buyer gets it: times the three makers' shares, whose ciphertexts are checked.

    A member that is no maker forms it from the shares that it is shown; that they hold noise and nothing
    else is what the makers' own signatures say.
    """
    return [key.add(*column) for column in zip(product, *shares, strict=True)]
