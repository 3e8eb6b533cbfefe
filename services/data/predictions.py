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
from protocol.learning.kinds.registry import KINDS
from protocol.learning.statistic import Matrix
from services.common.errors import ConfigurationError, DataSetError
from services.common.files import private_writer
from services.data.tabular import column_names, plain_name, read_batches

Write = Callable[[Matrix], None]
"""Takes b predictions."""


@dataclass
class Quality:
    """Squared error and variance of the target over batches (Chan, Golub, LeVeque, 1979: pairwise update).

    `rows` counts all predictions; `reason` is why the target of a file that has one is not compared;
    `outside` counts the rows in which a feature leaves the range of the training, by feature.
    """

    rows: int = 0
    measured: int = 0
    squares: float = 0.0
    mean: float = 0.0
    spread: float = 0.0
    reason: str | None = None
    outside: Counter[str] = field(default_factory=Counter)

    def add(self, truth: Matrix, predicted: Matrix) -> None:
        """Take b values of the target and their predictions."""
        size = len(truth)
        if not size:
            return
        self.squares += float(((truth - predicted) ** 2).sum())
        mean = float(truth.mean())
        shift, total = mean - self.mean, self.measured + size
        self.spread += float(((truth - mean) ** 2).sum()) + shift**2 * self.measured * size / total
        self.mean += shift * size / total
        self.measured = total

    @property
    def mse(self) -> float | None:
        """Mean squared error; None when the target is not known."""
        return self.squares / self.measured if self.measured else None

    @property
    def r2(self) -> float | None:
        """Share of the variance that is explained; None when the target is not known or does not vary."""
        return 1 - self.squares / self.spread if self.spread else None


@dataclass(frozen=True, slots=True)
class Source:
    """A file with the features of a model, and perhaps with its target."""

    model: BoughtModel
    file: Path
    has_target: bool

    def features(self) -> Iterator[Matrix]:
        """b×n batches; raises DataSetError as `read_batches` does."""
        return read_batches(self.file, self.model.features).batches

    def with_target(self) -> Iterator[Matrix]:
        """b×(n+1) batches, the target last; raises DataSetError as `read_batches` does."""
        return read_batches(self.file, [*self.model.features, self.model.target]).batches


def open_rows(model: BoughtModel, file: Path) -> Source:
    """A file of rows to predict the target of; raises DataSetError for one that lacks a feature."""
    source = Source(model, file, plain_name(model.target) in column_names(file))
    source.features()
    return source


def predict_rows(source: Source, write: Write | None) -> Quality:
    """Predict the target for every row, and compare where the whole target is known.

    Raises DataSetError for a feature that cannot be read. A target that cannot be is a reason not to compare.
    """
    quality = Quality()
    if source.has_target:
        try:
            for batch in source.with_target():
                quality.add(batch[:, -1], _predict(source, batch[:, :-1], quality, write))
        except DataSetError as error:
            quality = Quality(rows=quality.rows, reason=str(error), outside=quality.outside)
        else:
            return quality
    done = quality.rows
    for batch in source.features():
        _predict(source, batch[done:], quality, write)
        done = max(done - len(batch), 0)
    return quality


def _predict(source: Source, features: Matrix, quality: Quality, write: Write | None) -> Matrix:
    predicted = KINDS[source.model.kind].predict(source.model, features)
    if write is not None:
        write(predicted)
    quality.rows += len(features)
    for name, column, values in zip(source.model.features, source.model.ranges, features.T, strict=False):
        outside = np.count_nonzero((values < column.minimum) | (values > column.maximum))
        if outside:
            quality.outside[name] += int(outside)
    return predicted


@contextmanager
def prediction_file(path: Path, column: str) -> Iterator[Write]:
    """A private .csv or .parquet file that appears when all is written.

    Raises ConfigurationError for another kind of file.
    """
    match path.suffix.lower():
        case ".csv":
            with private_writer(path) as file:
                text = io.TextIOWrapper(file, encoding="utf-8", newline="")
                yield csv_lines(text, column)
                text.flush()
                text.detach()  # the file is closed by its own block
        case ".parquet":
            import pyarrow as pa  # noqa: PLC0415  half a second, for this kind alone
            from pyarrow import parquet  # noqa: PLC0415

            schema = pa.schema([(column, pa.float64())])
            with private_writer(path) as file, parquet.ParquetWriter(file, schema) as writer:
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
