"""The encrypted products P_ij of the models' weights, out of the key holder's answer and the masks.

For every slot set and i ≤ j, exactly modulo n,
P_ij = w_ij·Π_t E_ti^(μ_tj)·E_tj^(μ_ti)·B_i^(R_j)·B_j^(R_i)·(1+n)^(what the masks alone make),
the factors of E and B once for i = j; R sums the masks of trainers that the set does not hold. What stands
beside the last entry, −1, needs no E; the product of the last entries is public. With any matrix Ĝ,
Π P_ij^(Ĝ_ij) holds θ̃_tᵀĜθ̃_t in the slot k(t) of each model and θ̃_tᵀĜS in k′(t), S = Σ_t θ̃_t.

Nobody computes a P_ij, which would take a chain of squarings each: in Π P_ij^(x_ij) the exponents of E and B
are sums, E_ti's is Σ_j x_ij·μ_tj with x symmetric, so one chain is enough for whatever is asked of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from protocol.crypto.cipher import (
    Ciphertext,
    Combination,
    PowerTables,
    PublicKey,
    ShortExponentBlinder,
    combined,
    fitting_tables,
    tables_of_inputs,
    write_ciphertexts,
)
from protocol.crypto.randomness import Randomness
from protocol.learning.moments.exchange import (
    MINUS_ONE,
    MomentAnswer,
    SetAnswer,
    factor_of,
    product_in_slots,
)
from protocol.learning.moments.widths import MomentWidths, Place, SlotSet, columns
from protocol.learning.scales import COEFFICIENT_SCALE
from protocol.types import digest_of

_WINDOW = 6
"""For the five products of a checker: a metric, its proof, two tests, and others' proofs."""
ROWS_FROM = 20
"""Parameters from which on 64 squarings of each row's own take less than exponents twice as long."""


@dataclass(frozen=True)
class Products:
    """The P_ij of one slot set in the order of `places`: inputs of `protocol.crypto.proofs.validator`.

    `masks` are μ, p for each vector, hidden from repr: with them the key's holder reads the models. `start`
    are the integers of a public start model at the updates' scale, where it is measured.
    """

    key: PublicKey
    slot_set: SlotSet
    answer: SetAnswer
    masks: Sequence[Sequence[int]] = field(repr=False)
    trainers: int
    widths: MomentWidths
    start: Sequence[int] = ()

    @property
    def size(self) -> int:
        """How many there are, the public one among them."""
        return len(self._places)

    def combine(self, values: Sequence[int]) -> Ciphertext:
        """Π P_ij^(x_ij) mod n² for integers x_ij: a ciphertext of Σ x_ij·P_ij, unblinded."""
        return combined(self.key, [self.combination(values)])

    def combination(self, values: Sequence[int]) -> Combination:
        """The same, to be multiplied together with others."""
        return Combination(self._tables, self._exponents(values), self._known(values))

    def combination_once(self, values: Sequence[int]) -> list[Combination]:
        """The same of products that nothing else is asked of: their tables serve once, and are not kept."""
        parts = fitting_tables(self._ciphertexts, self._exponents(values), self.key.n_squared)
        return self._together(parts, values)

    def combination_of_squares(self, beta: Sequence[int]) -> list[Combination]:
        """The same of x_ij = β_i·β_j, for p numbers β and one more beside the last entry of each target.

        E_ti's exponent is β_i·⟨β, μ_t⟩ then: so Π_i E_ti^(β_i) is made first, and one power of it is left for
        each vector and target. Of many products rows are made likewise, (Π_j P_ij^(β_j))^(β_i).
        """
        count, size, modulus = len(self.answer.products), len(beta) - self.widths.targets, self.key.n_squared
        own, beside = beta[:size], beta[size:]
        values = [own[i] * factor for i in range(size) for factor in beta[i:]]
        values.append(sum(one * one for one in beside))
        starts = range(count, len(self._ciphertexts), size)
        singles = [self._tables.part(slice(at, at + size)).product(own) for at in starts]
        masks = [_dot(own, mu[at : at + size]) for mu in self._factors for at in range(0, len(mu), size)]
        unmasking = fitting_tables(singles, masks, modulus)
        if size < ROWS_FROM:
            return self._together([(self._tables.part(slice(count)), values[:-1]), *unmasking], values)
        ends = list(accumulate(len(beta) - i for i in range(size)))
        rows = [slice(end - len(beta) + i, end) for i, end in enumerate(ends)]
        made = [self._tables.part(row).product(beta[i:]) for i, row in enumerate(rows)]
        return self._together([*fitting_tables(made, own, modulus), *unmasking], values)

    def to_parts(self) -> Sequence[bytes]:
        """Everything that the products depend on."""
        return self._parts

    @cached_property
    def _parts(self) -> tuple[bytes, bytes]:
        masked = digest_of(*write_ciphertexts(self.key, self._ciphertexts))
        numbers = (one for row in (*self._factors, self._plain) for one in row)
        return masked, digest_of(*(_bytes_of(one) for one in numbers))

    @cached_property
    def _places(self) -> list[Place]:
        return self.widths.places

    @cached_property
    def _ciphertexts(self) -> list[Ciphertext]:
        singles = [one for row in self.answer.singles for one in row]
        return [*self.answer.products, *singles, *self.answer.rest]

    @cached_property
    def _tables(self) -> PowerTables:
        return tables_of_inputs(self._ciphertexts, self.key.n_squared, _WINDOW)

    def _exponents(self, values: Sequence[int]) -> list[int]:
        """Of all ciphertexts."""
        return [*values[:-1], *self._unmasking(values)]

    def _known(self, values: Sequence[int]) -> int:
        """What is known of the sum."""
        return sum(a * b for a, b in zip(values, self._plain, strict=True))

    def _together(
        self, parts: Sequence[tuple[PowerTables, Sequence[int]]], values: Sequence[int]
    ) -> list[Combination]:
        """Powers that make the sum under these values, with what is known of it."""
        known = Combination(PowerTables([], self.key.n_squared, _WINDOW), [], self._known(values))
        return [known, *(Combination(*one, 0) for one in parts)]

    @cached_property
    def _factors(self) -> list[Sequence[int]]:
        """The masks that E_ti, in the order of members, and then B_i are raised to."""
        held = {member.vector for member in self.slot_set.members}
        outside = [self.masks[t] for t in range(self.trainers) if t not in held]
        rest = [columns(outside)] if self.answer.rest else []
        return [*(self.masks[member.vector] for member in self.slot_set.members), *rest]

    @cached_property
    def _plain(self) -> list[int]:
        """What is known of each: the masks' own products, with +1 beside them, and a public start's."""
        vectors = [[*row, -MINUS_ONE] for row in self.masks]
        totals, members = columns(vectors[: self.trainers]), self.slot_set.members
        found = [product_in_slots(self.widths, members, vectors, totals, place) for place in self._places]
        if self.slot_set.public_start:
            model = [*self.start, MINUS_ONE]
            for index, place in enumerate(self._places):
                found[index] += factor_of(place) * sum(model[i] * model[j] for i, j in place)
        return found

    def _unmasking(self, values: Sequence[int]) -> list[int]:
        p = self.widths.parameters // self.widths.targets
        matrix = [[0] * p for _ in range(p)]
        for place, value in zip(self._places, values, strict=True):
            i, j = place[0]
            if j < p:
                matrix[i][j] = matrix[j][i] = value
        blocks = range(0, self.widths.parameters, p)
        return [_dot(row, mu[at : at + p]) for mu in self._factors for at in blocks for row in matrix]


def products(
    key: PublicKey,
    answer: MomentAnswer,
    masks: Sequence[Sequence[int]],
    trainers: int,
    sets: Sequence[SlotSet],
    widths: MomentWidths,
    start: Sequence[int] = (),
) -> tuple[Products, ...]:
    """Those of every slot set."""
    return tuple(
        Products(key, one, found, masks, trainers, widths, start)
        for one, found in zip(sets, answer.sets, strict=True)
    )


def next_model(
    key: PublicKey,
    answer: MomentAnswer,
    masks: Sequence[Sequence[int]],
    trainers: int,
    blinder: ShortExponentBlinder,
    randomness: Randomness,
) -> list[Ciphertext]:
    """x̃′, the mean of the local models to within one unit of its scale, blinded."""
    divisor = trainers << COEFFICIENT_SCALE
    quotients = [total // divisor for total in columns(masks[:trainers])]
    masked = zip(answer.quotients, quotients, strict=True)
    return blinder.blind([key.add(c, key.lift(-quotient)) for c, quotient in masked], randomness)


def rescaled_updates(
    key: PublicKey, answer: MomentAnswer, masks: Sequence[Sequence[int]]
) -> list[list[Ciphertext]]:
    """θ̂_t, each local model at the next model's scale to within one unit of it; nothing where none was asked.

    Unblinded: everybody who is shown answer and masks makes the same ciphertexts.
    """
    return [
        [key.add(c, key.lift(-(mask >> COEFFICIENT_SCALE))) for c, mask in zip(row, mu, strict=True)]
        for row, mu in zip(answer.rescaled, masks, strict=False)
    ]


def _dot(factors: Sequence[int], values: Sequence[int]) -> int:
    return sum(factor * value for factor, value in zip(factors, values, strict=True))


def _bytes_of(number: int) -> bytes:
    return int(number).to_bytes(int(number).bit_length() // 8 + 1, "big", signed=True)
