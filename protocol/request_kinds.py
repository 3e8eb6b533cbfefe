"""What each kind of model asks of a request's other sections; `Request` refuses what does not have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from protocol.preparation.columns import TargetColumn
from protocol.request_sections import ModelKind, Start, StartMean


@dataclass(frozen=True, slots=True)
class Demands:
    """`boolean_target`: each row's target is 0 or 1, as owners' cards say; `mean_start` shows the share."""

    boolean_target: bool = False
    intercept: bool = False
    mean_start: bool = False


DEMANDS: Mapping[Literal["linear_regression", "binary_classification"], Demands] = {
    "linear_regression": Demands(),
    "binary_classification": Demands(boolean_target=True, intercept=True, mean_start=True),
}
"""By the name of the kind: one row for each that `ModelKind` lists."""


def unmet_demand(model: ModelKind, target: TargetColumn, start: Start) -> str | None:
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
            f"{model.kind} starts from the share of ones: use start: {{start: mean, value: 0.3}} with the "
            "share that you expect"
        )
    return None
