"""Predictions as lines of text or as a file, a batch at a time."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from protocol.bought_model import BoughtModel
from protocol.learning.statistic import Matrix
from services.common.errors import ConfigurationError
from services.common.files import private_writer

Write = Callable[[Matrix], None]
"""Takes b predictions, of K targets or classes b×K."""


def predicted_columns(model: BoughtModel) -> tuple[str, ...]:
    """One column; of several targets one of each, of several classes the likeliest and all probabilities.

    What a Cox regression predicts is no time: its column says so.
    """
    if model.kind == "cox_regression":
        return ("predicted_log_hazard",)
    each = tuple(f"predicted_{one.label}" for one in model.outputs)
    if model.kind == "several_classes":
        return (f"predicted_{model.target}", *each)
    return each or (f"predicted_{model.target}",)


def _cells(model: BoughtModel, predicted: Matrix) -> list[Sequence[Any]]:
    """The columns' values of b rows, with all digits."""
    if not model.outputs:
        return [predicted.tolist()]
    numbers: list[Sequence[Any]] = predicted.T.tolist()
    if model.kind != "several_classes":
        return numbers
    levels = [one.target_level or "" for one in model.outputs]
    return [[levels[place] for place in predicted.argmax(axis=1)], *numbers]


@contextmanager
def prediction_file(path: Path, model: BoughtModel, *, replace: bool) -> Iterator[Write]:
    """A private .csv or .parquet file that appears when all is written.

    Raises ConfigurationError for another kind of file, and for one that exists and is not to be replaced.
    """
    match path.suffix.lower():
        case ".csv":
            with private_writer(path, replace=replace) as file:
                text = io.TextIOWrapper(file, encoding="utf-8", newline="")
                yield csv_lines(text, model)
                text.flush()
                text.detach()  # the file is closed by its own block
        case ".parquet":
            import pyarrow as pa  # noqa: PLC0415  half a second, for this kind alone
            from pyarrow import parquet  # noqa: PLC0415

            names = predicted_columns(model)
            texts = 1 if model.kind == "several_classes" else 0
            kinds = [pa.string()] * texts + [pa.float64()] * (len(names) - texts)
            schema = pa.schema(list(zip(names, kinds, strict=True)))
            with (
                private_writer(path, replace=replace) as file,
                parquet.ParquetWriter(file, schema) as writer,
            ):
                yield lambda predicted: writer.write_table(pa.table(_cells(model, predicted), schema=schema))
        case _:
            raise ConfigurationError(
                f"{path}: predictions are written to .csv or .parquet files; name one of these"
            )


def csv_lines(stream: TextIO, model: BoughtModel) -> Write:
    """Writes the header now and the predictions as they come, with all their digits."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(predicted_columns(model))
    return lambda predicted: writer.writerows(zip(*_cells(model, predicted), strict=True))
