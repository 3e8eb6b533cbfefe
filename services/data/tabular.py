"""Reading rows from CSV and Parquet files in constant memory, and the data set that ships with scikit-learn.

`protocol` takes arrays and never files; this is where files become arrays. Only numeric columns are read. No
error text holds a value from a file: it may be shown to others, and rows are what this market keeps private.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from protocol.learning.statistic import Matrix, Statistic, StatisticBuilder
from services.common.errors import DataSetError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

Progress = Callable[[int], None]
"""Told the number of rows read so far."""

SUFFIXES = (".csv", ".parquet")
ROW_LIMIT = 1_000_000
_BATCH_VALUES = 1 << 20
_CONVERSION_ERROR = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?")


@dataclass(frozen=True)
class Rows:
    """The columns that were asked for and their rows as b×k batches, each read when it is asked for, once."""

    columns: tuple[str, ...]
    batches: Iterator[Matrix]


def column_names(path: Path | str) -> tuple[str, ...]:
    """All columns of a file, in its order; raises DataSetError when it cannot be read as a table."""
    place = _existing(path)
    return _csv_columns(place) if place.suffix.lower() == ".csv" else _parquet_columns(place)


def read_batches(path: Path | str, columns: Sequence[str] | None = None) -> Rows:
    """The file's rows for `columns`, all by default, in that order; about 8 MB of float64 at a time.

    Raises DataSetError, now or while the batches are read, naming the file, the column, the row (the first
    after the header is row 1) and the remedy.
    """
    place = _existing(path)
    known = column_names(place)
    chosen = known if columns is None else tuple(columns)
    missing = [name for name in chosen if name not in known]
    if missing:
        raise DataSetError(f"{place} has no column {missing[0]!r}; it has {', '.join(known)}")
    if not chosen or len(set(chosen)) != len(chosen):
        raise DataSetError(f"choose each column of {place} once, and at least one")
    is_csv = place.suffix.lower() == ".csv"
    tables = _csv_tables(place, known, chosen) if is_csv else _parquet_tables(place, chosen)
    return Rows(chosen, _matrices(place, chosen, tables))


def read_statistic(
    path: Path | str, columns: Sequence[str] | None = None, progress: Progress | None = None
) -> Statistic:
    """One pass over a file of any length: all that a training needs of it, in the memory of one batch.

    Raises DataSetError as `read_batches` does, and for a file without rows.
    """
    rows = read_batches(path, columns)
    builder = StatisticBuilder(rows.columns)
    count = 0
    for batch in rows.batches:
        builder.add(batch)
        count += len(batch)
        if progress is not None:
            progress(count)
    if not count:
        raise DataSetError(f"{path} has a header but no rows; at least one is needed")
    return builder.finish()


def read_rows(
    path: Path | str, columns: Sequence[str] | None = None, limit: int = ROW_LIMIT
) -> tuple[tuple[str, ...], Matrix]:
    """(columns, rows) of a file small enough to hold in memory.

    Raises DataSetError as `read_batches` does, for a file without rows, and for more than `limit` rows.
    """
    rows = read_batches(path, columns)
    batches: list[Matrix] = []
    count = 0
    for batch in rows.batches:
        count += len(batch)
        if count > limit:
            raise DataSetError(f"{path} has more than {limit} rows; take a sample of it")
        batches.append(batch)
    if not count:
        raise DataSetError(f"{path} has a header but no rows; at least one is needed")
    return rows.columns, np.concatenate(batches)


def _existing(path: Path | str) -> Path:
    place = Path(path)
    if place.suffix.lower() not in SUFFIXES:
        raise DataSetError(f"{place} is not a {' or '.join(SUFFIXES)} file; convert it to one of these")
    try:
        if place.is_dir():
            raise DataSetError(f"{place} is a directory; name one file in it")
        with place.open("rb") as file:
            if not file.read(1):
                raise DataSetError(f"{place} is empty; it needs a header and rows")
    except FileNotFoundError:
        raise DataSetError(f"there is no file {place}; check the path") from None
    except OSError as error:
        raise DataSetError(f"{place} cannot be read: {error.strerror or type(error).__name__}") from None
    return place


def _valid_names(place: Path, names: Sequence[str]) -> tuple[str, ...]:
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise DataSetError(f"{place} has two columns named {twice[0]!r}; rename one")
    for position, name in enumerate(names, start=1):
        if not name.strip() or not name.isprintable() or len(name) > 200:
            raise DataSetError(f"{place}: column {position} needs a name of 1 to 200 printable characters")
    return tuple(names)


def _csv_columns(place: Path) -> tuple[str, ...]:
    with _csv_reader(place) as reader:
        names = _valid_names(place, reader.schema.names)
    if all(_is_number(name) for name in names):
        raise DataSetError(f"the first row of {place} holds numbers; put the columns' names there")
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextmanager
def _csv_reader(place: Path, known: Sequence[str] = (), chosen: Sequence[str] = ()) -> Iterator[Any]:
    """The streaming reader of pyarrow; its errors, which quote the file's values, become ours."""
    from pyarrow import ArrowInvalid, csv, float64  # noqa: PLC0415  half a second that `--help` need not pay

    uneven: list[csv.InvalidRow] = []

    def on_uneven_row(row: csv.InvalidRow) -> Literal["error"]:
        uneven.append(row)
        return "error"

    try:
        with csv.open_csv(
            place,
            read_options=csv.ReadOptions(use_threads=False),  # only so do errors carry the row
            parse_options=csv.ParseOptions(invalid_row_handler=on_uneven_row),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(chosen, float64()), include_columns=list(chosen)
            ),
        ) as reader:
            yield reader
    except (ArrowInvalid, UnicodeDecodeError, OSError) as error:
        raise _csv_error(place, known, uneven, error) from None


def _csv_error(place: Path, known: Sequence[str], uneven: Sequence[Any], error: Exception) -> DataSetError:
    if isinstance(error, UnicodeDecodeError):
        return DataSetError(f"the header of {place} is not UTF-8; save the file as UTF-8")
    if uneven:
        row = uneven[0]
        return DataSetError(
            f"{place}, row {row.number - 1}: {row.actual_columns} values for {row.expected_columns} columns; "
            "separate values by commas and quote those that hold one"
        )
    found = _CONVERSION_ERROR.match(str(error))
    if found and known:
        where = f", row {int(found[2]) - 1}" if found[2] else ""
        return _not_numeric(place, known[int(found[1])], where)
    return DataSetError(f"{place} is not a CSV file with a header and comma-separated values")


def _not_numeric(place: Path, column: str, where: str) -> DataSetError:
    return DataSetError(
        f"{place}{where}: column {column!r} is not numeric; encode it as numbers or leave it out"
    )


def _csv_tables(place: Path, known: Sequence[str], chosen: Sequence[str]) -> Iterator["pa.RecordBatch"]:
    with _csv_reader(place, known, chosen) as reader:
        yield from reader


@contextmanager
def _parquet_file(place: Path) -> Iterator["ParquetFile"]:
    from pyarrow import ArrowException, parquet  # noqa: PLC0415

    try:
        # A buffer makes pyarrow stream pages; otherwise a file of one row group is held whole.
        with parquet.ParquetFile(place, buffer_size=_BATCH_VALUES, pre_buffer=False) as file:
            yield file
    except (ArrowException, OSError):
        raise DataSetError(f"{place} is not a Parquet file, or it is damaged; write it again") from None


def _parquet_columns(place: Path) -> tuple[str, ...]:
    with _parquet_file(place) as file:
        return _valid_names(place, file.schema_arrow.names)


def _parquet_tables(place: Path, chosen: Sequence[str]) -> Iterator["pa.RecordBatch"]:
    from pyarrow import types  # noqa: PLC0415

    with _parquet_file(place) as file:
        for name in chosen:
            kind = file.schema_arrow.field(name).type
            numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
            if not (numeric or types.is_boolean(kind)):
                raise _not_numeric(place, name, "")
        size = max(len(chosen) + 1, _BATCH_VALUES // len(chosen))
        yield from file.iter_batches(batch_size=size, columns=list(chosen), use_threads=False)


def _matrices(place: Path, chosen: Sequence[str], tables: Iterator["pa.RecordBatch"]) -> Iterator[Matrix]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    before = 0
    for table in tables:
        matrix = np.empty((table.num_rows, len(chosen)))
        for index, name in enumerate(chosen):
            values = pc.cast(table.column(name), pa.float64(), safe=False)
            matrix[:, index] = values.to_numpy(zero_copy_only=False)
        bad = ~np.isfinite(matrix)
        if bad.any():
            row, column = (int(place_of) for place_of in np.argwhere(bad)[0])
            kind = "an infinite" if np.isinf(matrix[row, column]) else "no"
            raise DataSetError(
                f"{place}, row {before + row + 1}: column {chosen[column]!r} has {kind} value; "
                "fill such values or drop such rows"
            )
        before += len(matrix)
        yield matrix
