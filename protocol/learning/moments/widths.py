"""How many bits the products of weights take, and which model's stand where in a plaintext.

A *vector* is a model of p weights at scale s, followed by −1: θ̃ = (θ, −1). The first T vectors are the local
models of a round; where the model that the round began with is measured too, and is secret, it is one more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from protocol.crypto.cipher import SlotLayout
from protocol.errors import WidthError
from protocol.learning.scales import CARRY_BITS, ENTRY_SCALE, UPDATE_SCALE

_SPARE_BITS = 2
_GUARD_BITS = 33
"""Above the bound of a value in a slot: a sign, and 32 bits for noise and for values out of range."""


Place = tuple[tuple[int, int], ...]
"""(i, j), i ≤ j, of equal entries of a Gram matrix: of one target a single one, of several one for each."""


class Start(StrEnum):
    """How the model that a round began with is measured.

    It is in the first round, where it is public, and after a change of validators.
    """

    UNMEASURED = "unmeasured"
    PUBLIC = "public"
    ENCRYPTED = "encrypted"


class Member(NamedTuple):
    """A vector of a slot set, the slot of its own products, and that of those with the trainers' sum."""

    vector: int
    own: int
    cross: int | None


class SlotSet(NamedTuple):
    """What one plaintext holds. A public start has slot 0, without a vector."""

    members: tuple[Member, ...]
    public_start: bool

    @property
    def slots(self) -> int:
        """How many are taken."""
        return int(self.public_start) + sum(1 + (member.cross is not None) for member in self.members)


@dataclass(frozen=True, slots=True)
class MomentWidths:
    """Layouts of a training. Slots of products are signed: they borrow until an offset is added.

    `parameters` are those of all `targets` together.
    """

    parameters: int
    request: SlotLayout
    bound_bits: int
    products: SlotLayout
    targets: int = 1

    @property
    def places(self) -> list[Place]:
        """Of the products, the public one of the last entries last."""
        return places(self.parameters, self.targets)

    @classmethod
    def fit(
        cls,
        *,
        key_bits: int,
        parameters: int,
        trainers: int,
        weights: int,
        weight_bits: int,
        residual_bits: int,
        targets: int = 1,
    ) -> "MomentWidths":
        """Layouts for p parameters, with all *drawn* trainers and the sum of all drawn validators' weights.

        `weight_bits` and `residual_bits` bound |weight| and the RMS residual by powers of two. Raises
        WidthError, with the numbers, where a model's two products and the start's do not fit together.
        """
        if trainers < 2 or weights < 1:
            raise WidthError(f"{trainers} trainers and weights of {weights}; at least 2 and 1 are needed")
        value = UPDATE_SCALE + weight_bits
        bound = 2 * UPDATE_SCALE + ENTRY_SCALE + 2 * residual_bits + (trainers * weights - 1).bit_length() + 2
        products = SlotLayout.fit(key_bits, bound + _GUARD_BITS, 1 << bound, _SPARE_BITS)
        if products.per_plaintext < 3:
            raise WidthError(
                f"a product needs {products.slot_bits} bits, three of them more than a key of {key_bits}; "
                "use a longer key or smaller bounds"
            )
        request = SlotLayout.fit(key_bits, value + 1 + CARRY_BITS, 0, CARRY_BITS)
        return cls(parameters, request, bound, products, targets)

    def sets(self, trainers: int, start: Start) -> tuple[SlotSet, ...]:
        """Which slots the vectors of a round have: the start's first, then two for each trainer in turn."""
        found: list[SlotSet] = []
        placed = 0
        while placed < trainers:
            first = int(start is not Start.UNMEASURED and not found)
            count = min(trainers - placed, (self.products.per_plaintext - first) // 2)
            members = [Member(placed + i, first + 2 * i, first + 2 * i + 1) for i in range(count)]
            if first and start is Start.ENCRYPTED:
                members.insert(0, Member(trainers, 0, None))
            found.append(SlotSet(tuple(members), bool(first) and start is Start.PUBLIC))
            placed += count
        return tuple(found)

    def offset(self, slot_set: SlotSet) -> int:
        """What is added to a set's sum, once and in public, so that every slot is positive."""
        return sum(self.at(slot, self.products.offset) for slot in range(slot_set.slots))

    def at(self, slot: int, value: int) -> int:
        """The value in a slot."""
        return value << (self.products.slot_bits * slot)

    def values(self, slot_set: SlotSet, plaintext: int) -> list[int]:
        """What the slots of a set's plaintext hold, offsets taken off; last, what stands above them."""
        bits, count = self.products.slot_bits, slot_set.slots
        digits = [plaintext >> (bits * slot) & ((1 << bits) - 1) for slot in range(count)]
        return [*(digit - self.products.offset for digit in digits), plaintext >> (bits * count)]


def places(parameters: int, targets: int = 1) -> list[Place]:
    """Where the entries of a Gram matrix stand that may be other than zero, row by row; equal ones together.

    Of K targets with p weights each XᵀX stands K times on the diagonal and counts once. Beside it each target
    has its own Xᵀy; the last entry is the sum of all yᵀy. Of one target the places are those of `pairs`.
    """
    p, last = parameters // targets, parameters
    blocks = range(0, parameters, p)
    found: list[Place] = []
    for i in range(p):
        found += [tuple((block + i, block + j) for block in blocks) for j in range(i, p)]
        found += [((block + i, last),) for block in blocks]
    return [*found, ((last, last),)]


def pairs(size: int) -> list[tuple[int, int]]:
    """(i, j), i ≤ j, row by row: the order of products and of a Gram matrix's triangle."""
    return [(i, j) for i in range(size) for j in range(i, size)]


def columns(rows: Sequence[Sequence[int]]) -> list[int]:
    """The sum of each column."""
    return [sum(column) for column in zip(*rows, strict=True)]
