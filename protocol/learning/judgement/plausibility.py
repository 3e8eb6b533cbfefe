"""Which errors a round may come to, and which public models it may start from.

Errors are the members' weighted sums of squared residuals, integers at the products' scale 2s + h, and rows
and targets lie in [−1, 1]: a model with weights θ errs by less than 1 + Σ|θ_j| anywhere. Of several targets
the error is the mean of each target's, which the weights of no other touch: so the largest of them bounds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.errors import ProtocolViolation
from protocol.learning.scales import ENTRY_SCALE, MODEL_SCALE, UPDATE_SCALE

MAXIMUM_START = 4
"""Of Σ|start_j| of each target in declared units: weights that grow by powers of a large number would have
the first error spell out the table of all members' products, digit by digit."""

_ALLOWED_GROWTH = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """0 ≤ q_t ≤ `own` and |c_t| ≤ `cross`, each to within `rounding` and, upwards, `noise`."""

    own: int
    cross: int
    rounding: int
    noise: int

    @classmethod
    def of(cls, trainers: int, reference: int, rounding: int, noise: int) -> "Limits":
        """From max(v₀, best): the start's error and the best recorded one, whichever is larger.

        In the first round, in place of both, `first_reference`.
        """
        return cls(_ALLOWED_GROWTH * reference, _ALLOWED_GROWTH * trainers * reference, rounding, noise)

    @property
    def most_own(self) -> int:
        """The largest opened q_t that is plausible."""
        return self.own + self.rounding + self.noise

    def admits_own(self, value: int) -> bool:
        """Whether an opened q_t is plausible."""
        return -self.rounding <= value <= self.most_own

    def admits_cross(self, value: int) -> bool:
        """Whether an opened c_t is plausible."""
        return -self.cross - self.rounding <= value <= self.cross + self.rounding + self.noise


def require_start(start: Sequence[int], targets: int = 1) -> None:
    """Check a public start model, weights at scale f; raises ProtocolViolation("start_too_large").

    `start` holds as many weights of each of the `targets`, one target after the other.
    """
    size = _largest_size(start, targets)
    if size > MAXIMUM_START << MODEL_SCALE:
        raise ProtocolViolation(
            "start_too_large",
            f"the start's weights add up to {size / 2**MODEL_SCALE:.6g} in size, in scaled columns; "
            f"at most {MAXIMUM_START} are accepted: start from zero, or from the target's mean",
        )


def first_reference(start: Sequence[int], weights: int, targets: int = 1) -> int:
    """(1 + Σ|start_j|)² times the members' weights: what bounds the error of a public start at scale f."""
    size = (1 << MODEL_SCALE) + _largest_size(start, targets)
    return size * size * weights << (2 * UPDATE_SCALE + ENTRY_SCALE - 2 * MODEL_SCALE)


def _largest_size(start: Sequence[int], targets: int) -> int:
    """Σ|start_j| of the target that has most."""
    each = len(start) // targets
    return max(sum(abs(int(one)) for one in start[k * each :][:each]) for k in range(targets))


def gram_rounding(weight: int, parameters: int, weight_bits: int) -> int:
    """w·d²·2^(2·weight_bits − h): by how much rounding of Ĝ can change a member's weighted error.

    As long as the model's weights are below 2^weight_bits.
    """
    size = parameters + 1
    return weight * size * size << (2 * weight_bits + 2 * UPDATE_SCALE)
