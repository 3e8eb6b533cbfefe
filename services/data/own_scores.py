"""How good a bought model is on its buyer's own rows: figures alone, of which no row can be made again."""

from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import Field

from protocol.bought_model import BoughtModel
from protocol.learning.scores.interface import FigureTree
from protocol.types import FrozenModel
from services.common.errors import DataSetError
from services.data.predictions import open_rows, predict_rows


class OwnScores(FrozenModel):
    """The scores of a model's kind on so many rows, as `deltaml predict` works them out.

    `figures` are `Scores.figures`, None where the rows do not tell; `outside` counts the rows in which a
    feature leaves the range of the training, by feature; `at` is in seconds since 1970.
    """

    at: float
    rows: int = Field(ge=1)
    figures: dict[str, Any]
    outside: dict[str, int] = Field(default_factory=dict)


def own_scores(model: BoughtModel, file: Path, at: float) -> OwnScores:
    """Of the rows in a file, which needs the model's features and its target.

    Raises DataSetError for a file that cannot be used, MisuseError for a target that the kind does not have.
    """
    source = open_rows(model, file)
    if not source.has_target:
        raise DataSetError(f"{file} has no column {model.target!r}: scores compare predictions with it")
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
