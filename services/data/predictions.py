"""A bought model on a file of rows, a batch at a time: the predictions, and how wrong they are."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.registry import KINDS
from protocol.learning.statistic import Matrix
from services.common.errors import ConfigurationError
from services.common.files import private_writer
from services.data.tabular import Rows, column_names, plain_name, read_batches

Write = Callable[[Matrix], None]
"""Takes b predictions."""


@dataclass
class Quality:
    """Squared error and variance of the target over batches (Chan, Golub, LeVeque, 1979: pairwise update).

    `rows` counts all predictions, `measured` those whose target is known.
    """

    rows: int = 0
    measured: int = 0
    squares: float = 0.0
    mean: float = 0.0
    spread: float = 0.0

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
        """Mean squared error; None when no target is known."""
        return self.squares / self.measured if self.measured else None

    @property
    def r2(self) -> float | None:
        """Share of the variance that is explained; None when the target is not known or does not vary."""
        return 1 - self.squares / self.spread if self.spread else None


def open_rows(model: BoughtModel, file: Path) -> Rows:
    """The columns of a file that the model needs, with the target as the last one where the file has it.

    Raises DataSetError as `read_batches` does.
    """
    is_measured = plain_name(model.target) in column_names(file)
    return read_batches(file, [*model.features, model.target] if is_measured else model.features)


def predict_rows(model: BoughtModel, rows: Rows, write: Write | None) -> Quality:
    """Predict the target for every row that `open_rows` opened, and compare where the target is known."""
    features = len(model.features)
    is_measured = len(rows.columns) > features
    quality = Quality()
    for batch in rows.batches:
        predicted = KINDS[model.kind].predict(model, batch[:, :features])
        if write is not None:
            write(predicted)
        quality.rows += len(batch)
        if is_measured:
            quality.add(batch[:, -1], predicted)
    return quality


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
