"""Every slot width of a training, computed from its request and refused before a number could overflow."""

from dataclasses import dataclass

from protocol.crypto.cipher import SlotLayout
from protocol.errors import WidthError
from protocol.learning.scales import CARRY_BITS, COEFFICIENT_SCALE, METRIC_SCALE, RESIDUAL_SCALE, UPDATE_SCALE

_OPENING_SPARE_BITS = 2


@dataclass(frozen=True, slots=True)
class Widths:
    """Layouts of the three packed vectors; the offset of each is the bound of its values.

    `refresh`: sums of T updates. `residual`: entries of R(θ, −1). `opening`: sums over validators of
    m·⟨r, r′⟩, packed without offset by each validator, offset once in their product.
    """

    refresh: SlotLayout
    residual: SlotLayout
    opening: SlotLayout
    parameters: int
    trainers: int

    update_scale = UPDATE_SCALE
    residual_scale = RESIDUAL_SCALE
    metric_scale = METRIC_SCALE

    @classmethod
    def fit(
        cls,
        *,
        key_bits: int,
        parameters: int,
        trainers: int,
        validators: int,
        weight_bits: int,
        residual_bits: int,
        rows: int,
    ) -> "Widths":
        """Layouts for p parameters, T trainers and `rows` validators' rows in all.

        `weight_bits` and `residual_bits` bound |weight| and the RMS residual by powers of two. Raises
        WidthError, with the numbers, when one value does not fit into a plaintext.
        """
        if trainers < 2 or validators < 2 or rows < 1:
            raise WidthError(
                f"{trainers} trainers, {validators} validators and {rows} rows; "
                "at least 2, 2 and 1 are needed"
            )
        refresh = UPDATE_SCALE + weight_bits + _bits_above(trainers)
        residual = RESIDUAL_SCALE + residual_bits
        opening = METRIC_SCALE + 2 * residual_bits + _bits_above((parameters + 1) * trainers * rows)
        return cls(
            refresh=SlotLayout.fit(key_bits, refresh + 1 + CARRY_BITS, 1 << refresh, CARRY_BITS),
            residual=SlotLayout.fit(key_bits, residual + 1 + CARRY_BITS, 1 << residual, CARRY_BITS),
            opening=SlotLayout.fit(key_bits, opening + 2, 1 << opening, _OPENING_SPARE_BITS),
            parameters=parameters,
            trainers=trainers,
        )

    def divisor(self, trainers: int) -> int:
        """T·2^g, by which the refresh divides a sum of T updates."""
        return trainers << COEFFICIENT_SCALE

    def trainers_of(self, divisor: int) -> int:
        """The T of a divisor; 0 if it is not a multiple of 2^g."""
        trainers, rest = divmod(divisor, 1 << COEFFICIENT_SCALE)
        return 0 if rest else trainers

    def metric_count(self, trainers: int, *, start: bool) -> int:
        """Numbers opened in a round: q and c per trainer, v₀ where the start is measured."""
        return 2 * trainers + int(start)


def _bits_above(count: int) -> int:
    """⌈log₂ count⌉."""
    return (count - 1).bit_length()
