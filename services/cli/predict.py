"""`deltaml predict`: a bought model on a file of rows, in the memory of one batch."""

import csv
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from services.cli.output import Json, print_json

if TYPE_CHECKING:
    from protocol.learning.statistic import Matrix

_Write = Callable[["Matrix"], None]


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model file, as the demo's --model-out.")],
    file: Annotated[Path, typer.Argument(help="CSV or Parquet file with the model's features.")],
    out: Annotated[Path | None, typer.Option(help="Write predictions here: a .csv or .parquet file.")] = None,
    json: Json = False,
) -> None:
    """Predict the target for every row; with the target in the file, tell how wrong the model is."""
    from services.data.model_file import predict as predictions  # noqa: PLC0415
    from services.data.model_file import read_model  # noqa: PLC0415
    from services.data.tabular import column_names, read_batches  # noqa: PLC0415

    bought = read_model(model)
    known = column_names(file)
    measured = bought.target in known
    rows = read_batches(file, [*bought.features, bought.target] if measured else bought.features)
    errors = Errors()
    count = 0
    with _writer(out, f"predicted_{bought.target}", quiet=json) as write:
        for batch in rows.batches:
            predicted = predictions(bought, batch[:, : len(bought.features)])
            write(predicted)
            count += len(batch)
            if measured:
                errors.add(batch[:, -1], predicted)
    mse, r2 = (errors.mse, errors.r2) if measured and count else (None, None)
    if json:
        written = None if out is None else str(out)
        print_json({"model": bought.name, "rows": count, "mse": mse, "r2": r2, "out": written})
    else:
        figures = "" if mse is None else f", MSE {mse:.6g}"
        figures += "" if r2 is None else f", R² {r2:.6f}"
        typer.echo(f"{count} rows{figures}", err=out is None)  # standard output holds the predictions


@dataclass
class Errors:
    """Squared error and variance of the target over batches (Chan, Golub, LeVeque, 1979: pairwise update)."""

    count: int = 0
    squares: float = 0.0
    mean: float = 0.0
    spread: float = 0.0

    def add(self, truth: "Matrix", predicted: "Matrix") -> None:
        """Take b values and their predictions."""
        size = len(truth)
        if not size:
            return
        self.squares += float(((truth - predicted) ** 2).sum())
        mean = float(truth.mean())
        shift, total = mean - self.mean, self.count + size
        self.spread += float(((truth - mean) ** 2).sum()) + shift**2 * self.count * size / total
        self.mean += shift * size / total
        self.count = total

    @property
    def mse(self) -> float:
        """Mean squared error."""
        return self.squares / self.count

    @property
    def r2(self) -> float | None:
        """Share of the variance that is explained; none when the target does not vary."""
        return 1 - self.squares / self.spread if self.spread else None


@contextmanager
def _writer(out: Path | None, column: str, *, quiet: bool) -> Iterator[_Write]:
    """Where predictions go: a private file that appears when all are written, else standard output."""
    from services.common.errors import ConfigurationError  # noqa: PLC0415
    from services.common.files import private_writer  # noqa: PLC0415

    if out is None:
        yield (lambda _predicted: None) if quiet else _csv_lines(sys.stdout, column)
    elif out.suffix.lower() == ".csv":
        with private_writer(out) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            yield _csv_lines(text, column)
            text.flush()
            text.detach()  # the file is closed by its own block
    elif out.suffix.lower() == ".parquet":
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415

        kind = pa.schema([(column, pa.float64())])
        with private_writer(out) as file, parquet.ParquetWriter(file, kind) as writer:
            yield lambda predicted: writer.write_table(pa.table([pa.array(predicted)], schema=kind))
    else:
        raise ConfigurationError(
            f"{out}: predictions are written to .csv or .parquet files; name one of these"
        )


def _csv_lines(stream: TextIO, column: str) -> _Write:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column])
    return lambda predicted: writer.writerows((repr(float(value)),) for value in predicted)
