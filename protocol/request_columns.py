"""What a request may not declare of its columns, with the remedy in words; None where all is well."""

from collections.abc import Sequence

from protocol.preparation.columns import Column, DeclaredTarget, Parameter
from protocol.scaling import Scaling
from protocol.types import repeated


def unsuitable_columns(features: Sequence[Column], targets: Sequence[DeclaredTarget]) -> str | None:
    """What is said of features declared as targets are, and of targets as features are."""
    levels = next((one.name for one in features if getattr(one, "level", None) is not None), None)
    if levels is not None:
        return f"column {levels!r}: level is for a target; declare kind: categorical"
    if any(one.missing != "refuse" or getattr(one, "log", False) for one in targets):
        return "target: missing values and logarithms are for features"
    return None


def repeated_name(
    features: Sequence[Column], targets: Sequence[DeclaredTarget], weight_names: Sequence[str]
) -> str | None:
    """What is said of a column, or of a weight, whose name another one has."""
    twice = repeated(one.name for one in (*features, *targets))
    if twice is not None:
        return f"column {twice!r} is named twice"
    twice = repeated((*weight_names, *(one.name for one in targets)))
    return twice and f"two weights are named {twice!r}; rename a column or a level, or leave a basis out"


def inexact_column(inputs: Sequence[Parameter], scalings: Sequence[Scaling]) -> str | None:
    """What is said of a range that is too narrow for its distance from zero."""
    for parameter, scaling in zip(inputs, scalings, strict=True):
        if not scaling.is_exact:
            return (
                f"column {parameter.name!r}: floating point has no numbers for so narrow a range around "
                f"{scaling.center:.9g}; have a constant subtracted from the column, or widen the range"
            )
    return None
