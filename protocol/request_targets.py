"""What a model predicts: one column of numbers, or several of them trained as one model.

Of several targets each has weights of its own between the same features, and none of them touches another's
error: so a training of K targets is one of K blocks of p weights, in the order of the targets.
"""

from collections.abc import Sequence

from protocol.preparation.columns import BooleanColumn, CategoricalColumn, DeclaredTarget, TargetColumn
from protocol.request_sections import MAXIMUM_FEATURES, MOST_CLASSES, MOST_TARGETS, KindName

SEVERAL: frozenset[KindName] = frozenset({"several_targets", "several_classes"})
"""Kinds of models that are trained for more than one column of numbers at once."""

FEWEST_CLASSES = 3
"""Two are told apart by one target of 0 and 1."""


def outputs_of(declared: Sequence[DeclaredTarget]) -> tuple[TargetColumn, ...]:
    """The columns of numbers that are predicted: of texts 0 or 1 for each level, in their order."""
    found: list[TargetColumn] = []
    for one in declared:
        if isinstance(one, CategoricalColumn):
            levels = one.levels
            found += [BooleanColumn(name=one.name, kind="boolean", level=level) for level in levels]
        else:
            found.append(one)
    return tuple(found)


def unsuitable_targets(
    kind: KindName, target: DeclaredTarget | None, targets: Sequence[TargetColumn]
) -> str | None:
    """Why a kind of model cannot have what a document names as `target` and `targets`, with the remedy."""
    if kind == "several_targets":
        return (
            None
            if target is None and 2 <= len(targets) <= MOST_TARGETS
            else (f"several_targets needs targets, a list of 2 to {MOST_TARGETS} columns, in place of target")
        )
    if targets:
        return f"targets: {kind} predicts one column: name it as target, or ask for several_targets"
    if target is None:
        return "target: name the column that is to be predicted"
    if kind == "several_classes":
        return _unsuitable_classes(target)
    if isinstance(target, CategoricalColumn):
        return (
            f"target: {kind} predicts numbers, and {target.name!r} is categorical: ask for several_classes, "
            "or declare it with kind: boolean and the level that counts as 1"
        )
    return None


def _unsuitable_classes(target: DeclaredTarget) -> str | None:
    if not isinstance(target, CategoricalColumn):
        return (
            f"target: several_classes tells levels apart, and {target.name!r} is {target.kind}: declare it "
            "with kind: categorical and its levels, or ask for binary_classification"
        )
    if not FEWEST_CLASSES <= len(target.levels) <= MOST_CLASSES:
        return (
            f"target: {len(target.levels)} levels; several_classes tells {FEWEST_CLASSES} to {MOST_CLASSES} "
            "apart: leave rare ones out of the rows, or of two ask for binary_classification"
        )
    if target.reference is not None or target.other != "refuse":
        return "target: every class has weights of its own; leave out reference and other"
    return None


def too_many_weights(weights: int, targets: int) -> str | None:
    """What is said of more weights than a model may have; `weights` are of all targets together."""
    if targets == 1 or weights <= MAXIMUM_FEATURES:
        return None
    return (
        f"{targets} targets with {weights // targets} weights each make {weights}, of {MAXIMUM_FEATURES} at "
        "most: ask for fewer targets at once, or for fewer features or curves"
    )
