"""How good a bought model is on its buyer's own rows: figures of all of them together."""

from math import isfinite
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, FiniteFloat, TypeAdapter
from typing_extensions import TypedDict

from protocol.bought_model import BoughtModel
from protocol.learning.scores.classification import CALIBRATION_GROUPS
from protocol.learning.scores.interface import FigureTree
from protocol.preparation.values import Level
from protocol.request_sections import MOST_CLASSES, MOST_TARGETS
from protocol.types import FrozenModel, Name
from services.common.errors import DataSetError
from services.data.predictions import open_rows, predict_rows

_Figure = FiniteFloat | None
_Count = Annotated[int, Field(ge=0)]

LEAST_ROWS = 30
"""Scores of fewer rows are not published: that of one row is its error."""

LEAST_GROUP = 10
"""Rows of a calibration group that is published: one of one row is that row's probability and class."""

_EXACT = ConfigDict(extra="forbid", strict=True)


class _Regression(TypedDict):
    __pydantic_config__ = _EXACT  # type: ignore[misc]  # as pydantic wants it
    mse: _Figure
    rmse: _Figure
    mae: _Figure
    r2: _Figure


class _Deviance(TypedDict):
    __pydantic_config__ = _EXACT  # type: ignore[misc]
    deviance: _Figure
    deviance_explained: _Figure
    rmse: _Figure
    mae: _Figure


class _Concordance(TypedDict):
    __pydantic_config__ = _EXACT  # type: ignore[misc]
    concordance: _Figure
    events: _Count | None


class _Confusion(TypedDict):
    __pydantic_config__ = _EXACT  # type: ignore[misc]
    true_negative: _Count
    false_positive: _Count
    false_negative: _Count
    true_positive: _Count


class _Group(TypedDict):
    __pydantic_config__ = _EXACT  # type: ignore[misc]
    rows: _Count | None
    predicted: _Figure
    share: _Figure


class _Classification(TypedDict):
    __pydantic_config__ = _EXACT  # type: ignore[misc]
    accuracy: _Figure
    auc: _Figure
    log_loss: _Figure
    brier: _Figure
    confusion: _Confusion
    calibration: Annotated[list[_Group], Field(min_length=CALIBRATION_GROUPS, max_length=CALIBRATION_GROUPS)]


class _SeveralTargets(TypedDict):
    __pydantic_config__ = _EXACT  # type: ignore[misc]
    mean_r2: _Figure
    targets: Annotated[dict[Name, _Regression], Field(max_length=MOST_TARGETS)]


class _Class(TypedDict):
    __pydantic_config__ = _EXACT  # type: ignore[misc]
    rows: _Count
    precision: _Figure
    recall: _Figure
    predicted: Annotated[dict[Level, _Count], Field(max_length=MOST_CLASSES)]


class _SeveralClasses(TypedDict):
    __pydantic_config__ = _EXACT  # type: ignore[misc]
    accuracy: _Figure
    log_loss: _Figure
    brier: _Figure
    classes: Annotated[dict[Level, _Class], Field(max_length=MOST_CLASSES)]


_FIGURES: TypeAdapter[Any] = TypeAdapter(
    _Regression | _Deviance | _Concordance | _Classification | _SeveralTargets | _SeveralClasses
)


def _of_a_kind(figures: dict[str, Any]) -> dict[str, Any]:
    """Those of one kind of scores, each a number: the process that reads a file may have been taken over."""
    return dict(_FIGURES.validate_python(figures))


class OwnScores(FrozenModel):
    """The scores of a model's kind on so many rows, as `deltaml predict` works them out.

    `figures` are `Scores.figures`, None where the rows do not tell; `outside` counts the rows in which a
    feature leaves the range of the training, by feature; `at` is in seconds since 1970.
    """

    at: FiniteFloat
    rows: int = Field(ge=1)
    figures: Annotated[dict[str, Any], AfterValidator(_of_a_kind)]
    outside: dict[str, _Count] = Field(default_factory=dict)

    def published(self) -> "OwnScores | None":
        """What a card shows, which everybody may read: nothing of few rows; small groups without figures."""
        if self.rows < LEAST_ROWS:
            return None
        groups = self.figures.get("calibration")
        if groups is None:
            return self
        hidden = _small([group["rows"] or 0 for group in groups])
        shown = [
            {"rows": None, "predicted": None, "share": None} if number in hidden else group
            for number, group in enumerate(groups)
        ]
        return self.model_copy(update={"figures": {**self.figures, "calibration": shown}})


def _small(sizes: list[int]) -> set[int]:
    """Groups to hide: those that are small, and of others the smallest while all hidden ones together are.

    The confusion matrix tells what is in all groups, so the shown ones tell what is in the hidden together.
    """
    hidden: set[int] = set()
    together = 0
    for number in sorted((one for one, size in enumerate(sizes) if size), key=lambda one: sizes[one]):
        if sizes[number] >= LEAST_GROUP and (not hidden or together >= LEAST_GROUP):
            break
        hidden.add(number)
        together += sizes[number]
    return hidden


def own_scores(model: BoughtModel, file: Path, at: float) -> OwnScores:
    """Of the rows in a file, which needs the model's features and its target.

    Raises DataSetError for a file that cannot be used, MisuseError for a target that the kind does not have.
    """
    source = open_rows(model, file)
    if not source.has_target:
        missing = " or ".join(map(repr, (*model.targets, *([] if model.event is None else [model.event]))))
        raise DataSetError(f"{file} has no column {missing}: scores compare predictions with it")
    quality = predict_rows(source, None)
    if quality.reason is not None:
        raise DataSetError(quality.reason)
    if not quality.rows:
        raise DataSetError(f"{file} has a header but no rows; at least one is needed")
    figures: dict[str, Any] = {name: _finite(figure) for name, figure in quality.scores.figures().items()}
    return OwnScores(at=at, rows=quality.rows, figures=figures, outside=dict(quality.outside))


def _finite(figure: FigureTree) -> FigureTree:
    """None in the place of what JSON has no number for: a prediction far out overflows in its square."""
    match figure:
        case dict():
            return {name: _finite(part) for name, part in figure.items()}
        case list():
            return [_finite(part) for part in figure]
        case float() if not isfinite(figure):
            return None
    return figure
