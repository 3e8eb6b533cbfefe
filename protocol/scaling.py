"""Declared units: every column is brought to [−1, 1] by its declared range before anything is computed.

The bounds of weights and residuals then follow from the document alone, one step size suits all columns, and
nothing about an owner's rows is needed for either. Decimals, so that all parties compute the same bits.
"""

from collections.abc import Sequence
from decimal import Decimal
from math import isqrt
from typing import NamedTuple

_NARROWEST = Decimal(1) / (1 << 32)


class Scaling(NamedTuple):
    """x ↦ (x − center)/half; both in the column's own units, `half` above zero."""

    center: Decimal
    half: Decimal

    @classmethod
    def of_range(cls, minimum: Decimal, maximum: Decimal, *, centered: bool) -> "Scaling":
        """To [−1, 1]; without `centered` zero stays zero, as a model without an intercept needs."""
        if centered:
            return cls((minimum + maximum) / 2, (maximum - minimum) / 2)
        return cls(Decimal(0), max(abs(minimum), abs(maximum)))

    @property
    def is_exact(self) -> bool:
        """Whether floats of the column can be scaled: their rounding stays below 2⁻²⁰ of the range."""
        return self.half >= _NARROWEST * abs(self.center)


UNSCALED = Scaling(Decimal(0), Decimal(1))
"""The column as it is."""


LARGEST_STEP = 16
"""η of gradient descent between scaled columns: with an intercept an owner's safe step is below 2 anyway."""


def largest_weight(start: Sequence[Decimal], rounds: int, local_steps: int) -> int:
    """A bound of ‖θ‖ in a whole training between scaled columns, whatever the owners' rows are.

    N steps of size η are θ ← Mθ + v with ‖M‖ ≤ 1 and ‖v‖ ≤ 2√(ηN)·RMS(y): along a singular vector of X/√m
    with value s, v is (1 − (1 − ηs²)^N)/s times a part of y, and ηs² < 2. RMS(y) ≤ 1, and a mean of local
    models is no longer than the longest: so a round adds 2√(ηN) at most to the `start`.
    """
    added = 2 * (isqrt(LARGEST_STEP * local_steps) + 1)
    return int(sum(map(abs, start), Decimal(1))) + rounds * added


def largest_consensus_weight(start: Sequence[Decimal], rounds: int, penalty: Decimal, trainers: int) -> int:
    """The same of ADMM (`learning.consensus`) with ρ and at most so many trainers: of ‖w_t‖, ‖θ_t‖ and ‖z‖.

    θ_t = A·w_t + b with 0 ≤ A ≤ 1, and ‖b‖ ≤ β = 1/(2√ρ): along a singular vector of X/√m with value s, b is
    s/(s² + λ + ρ) times a part of y. Let s_t = θ_t + u_t, and |s| their root mean square over the trainers. A
    round is s ← s/2 + R(N(s))/2, the Douglas-Rachford iteration, where N(s) = (2·mean − s_t), which are the
    w_t, is as long as s, and R(w) = (2A − 1)w_t + 2b at most 2β longer than w: so |s| grows by β at most, and
    no trainer's is longer than √T·|s|. Duals that start anew, and trainers that start at the mean, make
    nothing longer. One of T trainers that leaves can make the next start √T times as long, if at all; of that
    slots have room in the bits that are kept free for values out of range.
    """
    grown = int(sum(map(abs, start), Decimal(1))) + (rounds + 1) * (int(1 / (2 * penalty.sqrt())) + 1)
    return grown * (isqrt(trainers - 1) + 1)


def to_declared_units(weights: Sequence[Decimal], scalings: Sequence[Scaling]) -> tuple[Decimal, ...]:
    """Weights of the columns' own units as those of the scaled ones.

    `scalings` are the features' and the target's, in order; `weights` the features' and then the intercept,
    where there is one. Without one every center is zero.
    """
    *features, target = scalings
    slopes = [weight * column.half / target.half for weight, column in zip(weights, features, strict=False)]
    if len(weights) == len(features):
        return tuple(slopes)
    shift = sum(weight * column.center for weight, column in zip(weights, features, strict=False))
    return (*slopes, (weights[-1] + shift - target.center) / target.half)


def to_own_units(weights: Sequence[float], scalings: Sequence[Scaling]) -> list[float]:
    """The inverse of `to_declared_units`, in floating point: what a model is delivered in."""
    *features, target = [(float(column.center), float(column.half)) for column in scalings]
    center, half = target
    slopes = [weight * half / width for weight, (_, width) in zip(weights, features, strict=False)]
    if len(weights) == len(features):
        return slopes
    shift = sum(slope * middle for slope, (middle, _) in zip(slopes, features, strict=True))
    return [*slopes, center + half * weights[-1] - shift]
