"""Whether what a training computes fits the bits that its document gives, before anybody computes it."""

from collections.abc import Sequence
from decimal import Decimal

from protocol.preparation.columns import Parameter
from protocol.request_schedule import Schedule
from protocol.request_sections import MOST_BITS, Bounds, Owners
from protocol.scaling import largest_consensus_weight, largest_weight


def largest_trained_weight(start: Sequence[Decimal], schedule: Schedule, owners: Owners) -> int:
    """What no |weight| of any model exceeds that is trained from such a start, between scaled columns."""
    if schedule.is_admm:
        return largest_consensus_weight(start, schedule.rounds, schedule.penalty, owners.maximum)
    return largest_weight(start, schedule.fold_rounds, schedule.local_steps)


def too_few_bits(bounds: Bounds, needed_bits: tuple[int, int]) -> str | None:
    """What is said of bounds below the bits that weights and residuals may need between scaled columns.

    There a number that overflows its slot would be read as another, unnoticed.
    """
    for name, needed in zip(("weight_bits", "residual_bits"), needed_bits, strict=True):
        given = getattr(bounds, name)
        if given is not None and given < needed:
            return f"bounds.{name} is {given}; this start and schedule may need {needed}: leave it out"
        if needed > MOST_BITS:
            return (
                f"this start and schedule may need {needed} bits, of {MOST_BITS} at most: start from "
                "smaller weights, or widen the target's range"
            )
    return None


def too_large_first(
    weights: Sequence[Decimal], inputs: Sequence[Parameter], weight_bits: int, residual_bits: int
) -> str | None:
    """What is said of a first model that does not fit, of columns as they are.

    No more is known of these than what it gives. `inputs` are the features and the target last; `weights` has
    the intercept last, where there is one.
    """
    if any(abs(weight) >= Decimal(2) ** weight_bits for weight in weights):
        return "a start weight does not fit into bounds.weight_bits"
    needed = int(_largest_residual(weights, inputs)).bit_length()
    if needed <= residual_bits:
        return None
    return (
        f"residuals of the first model may need {needed} bits; bounds.residual_bits is {residual_bits}: "
        "raise it, or narrow the ranges"
    )


def _largest_residual(weights: Sequence[Decimal], inputs: Sequence[Parameter]) -> Decimal:
    """The bound of |Xθ − y| that the declared ranges give."""
    ranges = [parameter.limits or (Decimal(0), Decimal(1)) for parameter in inputs]
    *features, target = [max(abs(low), abs(high)) for low, high in ranges]
    ones = [Decimal(1)] * (len(weights) - len(features))
    return target + sum(abs(w) * x for w, x in zip(weights, [*features, *ones], strict=True))
