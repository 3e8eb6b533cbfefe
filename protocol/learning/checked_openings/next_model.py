"""Is the next model the mean of the local ones?

The aggregator makes it out of an answer of the key's holder (`moments`), and either could put any model in
its place. D_j = T·2^g·x̃′_j − Σ_t θ_t,j is what division rounded off, below T·2^g in size; whoever has updates
and next model has it encrypted. That it is small is not enough: x̃′_j = (Σ_t θ_t,j)/(T·2^g) mod n makes it
nothing, is no number that a trainer can work with, and would have the trainers found out of range in the next
round. So 2p numbers go through `sums` together: F·D_1 … F·D_p and x̃′_1 … x̃′_p, F = ⌊2^m/(T·2^g)⌋.

2^m is beyond the mean of any local models that `ranges` lets pass, so that nobody but their trainer is at
fault where a next model is too large. With x̃′_j and θ_t,j integers far below n so is D_j, and F makes it
count for as much as if it were alone.

Where trainers carry duals (`learning.consensus`) the local models at the next one's scale, θ̂_t,j, are of the
same answer, and go the same way: D_t,j = 2^g·θ̂_t,j − θ_t,j is below 2^g, and F_1·D_t,j and θ̂_t,j make 2·T·p
numbers more, F_1 = ⌊2^m/2^g⌋.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.crypto.cipher import Ciphertext, PublicKey, batch_invert, public_power
from protocol.learning.checked_openings.ranges import range_bits
from protocol.learning.checked_openings.sums import COEFFICIENT_BITS, DECIDED_BITS, SumWidths
from protocol.learning.scales import COEFFICIENT_SCALE


@dataclass(frozen=True, slots=True)
class NextModelWidths:
    """Of the sums, and m: of each of the numbers."""

    sums: SumWidths
    number_bits: int

    @classmethod
    def fit(cls, key_bits: int, parameters: int, weight_bits: int, rescaled: int = 0) -> "NextModelWidths":
        """For p parameters and weights below 2^weight_bits; raises WidthError as `SumWidths.fit` does.

        `rescaled` is how many trainers' models are checked beside the next one.
        """
        number = range_bits(parameters, weight_bits) + DECIDED_BITS - COEFFICIENT_SCALE + 1
        bits = COEFFICIENT_BITS + number + (2 * parameters * (1 + rescaled) - 1).bit_length()
        return cls(SumWidths.fit(key_bits, bits), number)

    def factor(self, trainers: int) -> int:
        """F, for T trainers."""
        return (1 << self.number_bits) // (trainers << COEFFICIENT_SCALE)


def checked_numbers(
    key: PublicKey,
    model: Sequence[Ciphertext],
    updates: Sequence[Sequence[Ciphertext]],
    widths: NextModelWidths,
    rescaled: Sequence[Sequence[Ciphertext]] = (),
) -> list[Ciphertext]:
    """F·D_1 … F·D_p, x̃′_1 … x̃′_p from p weights of the next model and T checked updates, unblinded.

    Then the same of each of the `rescaled` models beside its update.
    """
    found = _deviations(key, model, updates, widths)
    for one, update in zip(rescaled, updates if rescaled else (), strict=True):
        found += _deviations(key, one, [update], widths)
    return found


def _deviations(
    key: PublicKey,
    model: Sequence[Ciphertext],
    updates: Sequence[Sequence[Ciphertext]],
    widths: NextModelWidths,
) -> list[Ciphertext]:
    modulus, factor = key.n_squared, widths.factor(len(updates))
    negated = batch_invert([key.add(*column) for column in zip(*updates, strict=True)], modulus)
    found: list[Ciphertext] = []
    for weight, less in zip(model, negated, strict=True):
        rounded_off = public_power(weight, len(updates) << COEFFICIENT_SCALE, modulus) * less % modulus
        found.append(public_power(rounded_off, factor, modulus))
    return [*found, *model]
