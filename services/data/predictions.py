"""A bought model on a file of rows, a batch at a time: the predictions, and how wrong they are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.errors import UnusableValue
from protocol.learning.kinds.registry import KINDS
from protocol.learning.scores.classification import ClassificationScores
from protocol.learning.scores.deviance import DevianceScores
from protocol.learning.scores.interface import Scores
from protocol.learning.scores.regression import RegressionScores
from protocol.learning.scores.several_classes import SeveralClassesScores
from protocol.learning.scores.several_targets import SeveralTargetsScores
from protocol.learning.statistic import Matrix
from protocol.preparation.design import outside_counts
from protocol.preparation.tables import Table, Texts, ValueKind, row_count, rows_of
from services.common.errors import DataSetError
from services.data.prediction_files import Write
from services.data.row_files import column_names, plain_name
from services.data.row_reader import KIND_READ, kinds_asked, read_tables


@dataclass
class Quality:
    """How predictions compare with the target, by the scores of the model's kind.

    `rows` counts all predictions; `reason` is why the target of a file that has one is not compared;
    `outside` counts the rows in which a feature leaves the range of the training, by feature.
    """

    scores: Scores
    rows: int = 0
    reason: str | None = None
    outside: Counter[str] = field(default_factory=Counter)

    @property
    def mse(self) -> float | None:
        """Mean squared error, of probabilities the Brier score; None when the target is not known."""
        match self.scores:
            case RegressionScores():
                return self.scores.mse
            case ClassificationScores():
                return self.scores.brier
            case DevianceScores():
                return self.scores.errors.mse
            case SeveralClassesScores():
                return self.scores.brier
        return None

    @property
    def r2(self) -> float | None:
        """Share of a number's variance that is explained, of several their mean.

        None when it is not known or a number does not vary.
        """
        if isinstance(self.scores, SeveralTargetsScores):
            return self.scores.mean_r2
        return self.scores.r2 if isinstance(self.scores, RegressionScores) else None


@dataclass(frozen=True, slots=True)
class Source:
    """A file with the features of a model, and perhaps with all that it predicts."""

    model: BoughtModel
    file: Path
    has_target: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that rows must have."""
        return tuple(column.name for column in self.model.columns)

    def features(self) -> Iterator[Table]:
        """The model's columns; raises DataSetError as `read_tables` does."""
        return read_tables(self.file, kinds_asked(self.model.columns))

    def with_target(self) -> Iterator[Table]:
        """And the target; raises DataSetError as `read_tables` does."""
        each = self.model.outputs or (self.model,)
        targets: dict[str, ValueKind] = {
            **{
                one.target: KIND_READ[one.target_kind] if one.target_level is None else "text" for one in each
            },
            **({} if self.model.event is None else {self.model.event: "boolean"}),
        }
        return read_tables(self.file, {**kinds_asked(self.model.columns), **targets})


def open_rows(model: BoughtModel, file: Path) -> Source:
    """A file of rows to predict the target of; raises DataSetError for one that lacks a feature."""
    known = column_names(file)
    needed = (*model.targets, *([] if model.event is None else [model.event]))
    source = Source(model, file, all(plain_name(name) in known for name in needed))
    source.features()
    return source


def predict_rows(source: Source, write: Write | None) -> Quality:
    """Predict the target for every row, and compare where the whole target is known.

    Raises DataSetError for a feature that cannot be read. A target that cannot be is a reason not to compare.
    """
    kind = KINDS[source.model.kind]
    quality = Quality(kind.scores(source.model))
    if source.has_target:
        try:
            for batch in source.with_target():
                truth = _truth(source, batch, quality.rows)
                quality.scores.add(truth, _predict(source, batch, quality, write))
        except DataSetError as error:
            quality = Quality(
                kind.scores(source.model), rows=quality.rows, reason=str(error), outside=quality.outside
            )
        else:
            return quality
    done = quality.rows
    for batch in source.features():
        count = row_count(batch)
        _predict(source, rows_of(batch, slice(done, None)), quality, write)
        done = max(done - count, 0)
    return quality


def _truth(source: Source, table: Table, before: int) -> Matrix:
    """The target's values, one column of each of several, and last the events if any.

    Raises DataSetError where one is missing.
    """
    each = source.model.outputs or (source.model,)
    columns = [_values(source, table, one.target, one.target_level, before) for one in each]
    if source.model.event is not None:
        columns.append(_values(source, table, source.model.event, None, before))
    return np.column_stack(columns) if len(columns) > 1 else columns[0]


def _values(source: Source, table: Table, target: str, level: str | None, before: int) -> Matrix:
    truth = table[target]
    if isinstance(truth, Texts):
        here = truth.levels.index(level) if level in truth.levels else -2
        truth = np.where(truth.codes < 0, np.nan, truth.codes == here)
    gaps = np.flatnonzero(np.isnan(truth))
    if len(gaps):
        raise DataSetError(
            f"{source.file}, row {before + int(gaps[0]) + 1}: column {target!r} has no value; "
            "fill such values or drop such rows"
        )
    return truth


def _predict(source: Source, table: Table, quality: Quality, write: Write | None) -> Matrix:
    model = source.model
    try:
        features = model.design(table)
    except UnusableValue as error:
        row = quality.rows + error.row + 1
        raise DataSetError(
            f"{source.file}, row {row}: column {error.column!r} {error.reason}; fill such values or drop "
            "such rows, which the model does not map"
        ) from None
    predicted = KINDS[model.kind].predict(model, features)
    if write is not None:
        write(predicted)
    quality.rows += len(features)
    quality.outside.update(outside_counts(model.columns, table))
    return predicted
