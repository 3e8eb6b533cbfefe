"""What each kind of model asks of a request's other sections; `Request` refuses what does not have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from protocol.links import link_of
from protocol.preparation.columns import TargetColumn
from protocol.request_sections import KindName, ModelKind, Start, StartMean, StartMeans, StartZero
from protocol.request_targets import SEVERAL


@dataclass(frozen=True, slots=True)
class Demands:
    """`boolean_target`: each row's target is 0 or 1, as owners' cards say; `mean_start` shows the share.

    `range_scale`: the bounds of predictors follow from declared ranges alone. `dispersion`: how much the
    target varies must be declared, and `event`: which column tells that a time is one of an event; no other
    kind may. `zero_start`: no start but zero has a meaning.
    """

    boolean_target: bool = False
    intercept: bool = False
    mean_start: bool = False
    range_scale: bool = False
    dispersion: bool = False
    event: bool = False
    zero_start: bool = False


_LOOSE_SHARES = Decimal("0.02")
"""By how much shares of classes, each rounded, may miss 1 together."""

_LINKED = Demands(intercept=True, mean_start=True, range_scale=True)
"""What the links of `protocol.links` need besides a target that suits them."""


DEMANDS: Mapping[KindName, Demands] = {
    "linear_regression": Demands(),
    "binary_classification": Demands(boolean_target=True, intercept=True, mean_start=True),
    "logistic_regression": _LINKED,
    "poisson_regression": _LINKED,
    "gamma_regression": _LINKED,
    "negative_binomial_regression": replace(_LINKED, dispersion=True),
    "cox_regression": Demands(intercept=True, range_scale=True, event=True, zero_start=True),
    "several_targets": Demands(range_scale=True),
    "several_classes": Demands(boolean_target=True, intercept=True, range_scale=True),
}
"""By the name of the kind: one row for each that `ModelKind` lists."""

DISPERSED: frozenset[str] = frozenset(kind for kind, asked in DEMANDS.items() if asked.dispersion)
"""Kinds whose requests and models have a dispersion."""

WITH_EVENTS: frozenset[str] = frozenset(kind for kind, asked in DEMANDS.items() if asked.event)
"""Kinds whose requests and models name a column of events."""


def unmet_demand(
    model: ModelKind, target: TargetColumn, start: Start, scale: Literal["range", "none"] = "range"
) -> str | None:
    """What the kind of model asks and the document does not have, with the remedy; None when all is there."""
    asked = DEMANDS[model.kind]
    if asked.boolean_target and target.kind != "boolean":
        return (
            f"target: {model.kind} predicts a column of 0 and 1, and {target.name!r} is {target.kind}: "
            "declare it with kind: boolean, or ask for linear_regression"
        )
    if asked.intercept and not model.intercept:
        return f"{model.kind} needs model.intercept: true"
    if asked.mean_start and not isinstance(start, StartMean):
        return (
            f"{model.kind} starts from the {_start_of(target)}: use start: {{start: mean, value: 0.3}} with "
            "the one that you expect"
        )
    if asked.range_scale and scale != "range":
        return f"{model.kind} needs scale: range"
    if asked.zero_start and not isinstance(start, StartZero):
        return f"{model.kind} starts from hazards that are all alike: use start: {{start: zero}}"
    return _unmet_dispersion(model) or _unmet_event(model) or _unsuitable_mean(model, target, start)


def _unmet_dispersion(model: ModelKind) -> str | None:
    asked = DEMANDS[model.kind].dispersion
    if asked and model.dispersion is None:
        return (
            f"{model.kind} needs model.dispersion, α of a variance μ + αμ²: `deltaml request suggest` works "
            "one out of a sample"
        )
    if model.dispersion is not None and not asked:
        return f"model.dispersion is for counts that vary more than Poisson's, not for {model.kind}"
    return None


def _unmet_event(model: ModelKind) -> str | None:
    asked = DEMANDS[model.kind].event
    if asked and model.event is None:
        return f"{model.kind} needs model.event: the name of the column that is 1 where the event came"
    if model.event is not None and not asked:
        return f"model.event is for times until an event, not for {model.kind}"
    return None


def unsuitable_start(model: ModelKind, outputs: Sequence[TargetColumn], start: Start) -> str | None:
    """Why a training cannot start from what a document says, with the remedy; None where it can."""
    means: tuple[Decimal, ...]
    match start:
        case StartMean(value=value) if model.kind not in SEVERAL:
            means = (value,)
        case StartMeans(values=values) if model.kind in SEVERAL:
            means = values
        case StartMean():
            return f"{model.kind} starts from a mean of each: use start: {{start: means, values: [...]}}"
        case StartMeans():
            return f"{model.kind} has one target: use start: {{start: mean, value: ...}}"
        case _:
            if model.kind != "several_classes":
                return None
            return "several_classes starts from the share of each: use start: {start: means, values: [...]}"
    return _unsuitable_means(model, outputs, means)


def _unsuitable_means(
    model: ModelKind, outputs: Sequence[TargetColumn], means: Sequence[Decimal]
) -> str | None:
    if not model.intercept:
        return "start: mean needs model.intercept: true"
    if len(means) != len(outputs):
        return f"start.values has {len(means)} values; {len(outputs)} needed, one for each"
    for column, mean in zip(outputs, means, strict=True):
        low, high = column.limits
        if not low <= mean <= high:
            return f"start.value is {mean}, no mean of a target between {low} and {high}"
    whole = sum(means, Decimal(0))
    if model.kind == "several_classes" and (min(means) <= 0 or abs(whole - 1) > _LOOSE_SHARES):
        return f"start.values add up to {whole}; the shares of all classes are above 0 and make 1"
    return None


def _start_of(target: TargetColumn) -> str:
    return "share of ones" if target.kind == "boolean" else "target's mean"


def _unsuitable_mean(model: ModelKind, target: TargetColumn, start: Start) -> str | None:
    """Of kinds with a link: a target, or a mean to start from, that has no predictor."""
    link = link_of(model.kind, model.dispersion)
    if link is None:
        return None
    unsuitable = link.unsuitable(target)
    if unsuitable is not None:
        return f"target: {model.kind} predicts {unsuitable}"
    least, most = link.means(target)
    if isinstance(start, StartMean) and not least <= start.value <= most:
        return f"start.value is {start.value}; {model.kind} starts from a mean between {least} and {most}"
    return None
