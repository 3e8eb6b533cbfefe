"""A bought model on a file of rows, a batch at a time: the predictions, and how wrong they are."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.errors import UnusableValue
from protocol.learning.kinds.registry import KINDS
from protocol.learning.scores.classification import ClassificationScores
from protocol.learning.scores.deviance import DevianceScores
from protocol.learning.scores.interface import Scores
from protocol.learning.scores.regression import RegressionScores
from protocol.learning.statistic import Matrix
from protocol.preparation.design import outside_counts
from protocol.preparation.tables import Table, Texts, ValueKind, row_count, rows_of
from services.common.errors import ConfigurationError, DataSetError
from services.common.files import private_writer
from services.data.row_files import column_names, plain_name
from services.data.row_reader import KIND_READ, kinds_asked, read_tables

Write = Callable[[Matrix], None]
"""Takes b predictions."""


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
        return None

    @property
    def r2(self) -> float | None:
        """Share of a number's variance that is explained; None when it is not known or does not vary."""
        return self.scores.r2 if isinstance(self.scores, RegressionScores) else None


@dataclass(frozen=True, slots=True)
class Source:
    """A file with the features of a model, and perhaps with its target."""

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
        is_text = self.model.target_level is not None
        target: dict[str, ValueKind] = {
            self.model.target: "text" if is_text else KIND_READ[self.model.target_kind],
            **({} if self.model.event is None else {self.model.event: "boolean"}),
        }
        return read_tables(self.file, {**kinds_asked(self.model.columns), **target})


def open_rows(model: BoughtModel, file: Path) -> Source:
    """A file of rows to predict the target of; raises DataSetError for one that lacks a feature."""
    needed = (model.target,) if model.event is None else (model.target, model.event)
    source = Source(model, file, set(map(plain_name, needed)) <= set(column_names(file)))
    source.features()
    return source


def predict_rows(source: Source, write: Write | None) -> Quality:
    """Predict the target for every row, and compare where the whole target is known.

    Raises DataSetError for a feature that cannot be read. A target that cannot be is a reason not to compare.
    """
    model = source.model
    quality = Quality(KINDS[model.kind].scores(model))
    if source.has_target:
        try:
            for batch in source.with_target():
                truth = _truth(source, batch, quality.rows)
                quality.scores.add(truth, _predict(source, batch, quality, write))
        except DataSetError as error:
            scores = KINDS[model.kind].scores(model)
            quality = Quality(scores, rows=quality.rows, reason=str(error), outside=quality.outside)
        else:
            return quality
    done = quality.rows
    for batch in source.features():
        count = row_count(batch)
        _predict(source, rows_of(batch, slice(done, None)), quality, write)
        done = max(done - count, 0)
    return quality


def _truth(source: Source, table: Table, before: int) -> Matrix:
    """The target's values, with the events beside them (b×2) where there are any.

    Raises DataSetError where one is missing.
    """
    times = _whole(source, table, before, source.model.target)
    if source.model.event is None:
        return times
    return np.column_stack([times, _whole(source, table, before, source.model.event)])


def _whole(source: Source, table: Table, before: int, name: str) -> Matrix:
    truth, level = table[name], source.model.target_level
    if isinstance(truth, Texts):
        here = truth.levels.index(level) if level in truth.levels else -2
        truth = np.where(truth.codes < 0, np.nan, truth.codes == here)
    gaps = np.flatnonzero(np.isnan(truth))
    if len(gaps):
        raise DataSetError(
            f"{source.file}, row {before + int(gaps[0]) + 1}: column {name!r} has no value; "
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


@contextmanager
def prediction_file(path: Path, column: str, *, replace: bool) -> Iterator[Write]:
    """A private .csv or .parquet file that appears when all is written.

    Raises ConfigurationError for another kind of file, and for one that exists and is not to be replaced.
    """
    match path.suffix.lower():
        case ".csv":
            with private_writer(path, replace=replace) as file:
                text = io.TextIOWrapper(file, encoding="utf-8", newline="")
                yield csv_lines(text, column)
                text.flush()
                text.detach()  # the file is closed by its own block
        case ".parquet":
            import pyarrow as pa  # noqa: PLC0415  half a second, for this kind alone
            from pyarrow import parquet  # noqa: PLC0415

            schema = pa.schema([(column, pa.float64())])
            with (
                private_writer(path, replace=replace) as file,
                parquet.ParquetWriter(file, schema) as writer,
            ):
                yield lambda predicted: writer.write_table(pa.table([pa.array(predicted)], schema=schema))
        case _:
            raise ConfigurationError(
                f"{path}: predictions are written to .csv or .parquet files; name one of these"
            )


def csv_lines(stream: TextIO, column: str) -> Write:
    """Writes the header now and the predictions as they come, with all their digits."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column])
    return lambda predicted: writer.writerows((repr(float(value)),) for value in predicted)
