"""Rows of a CSV file, streamed by pyarrow, whose errors quote the file's values: ours do not."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pyarrow import ArrowInvalid, RecordBatch, csv, float64

from services.common.errors import DataSetError

_CONVERSION_ERROR = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?")


def columns(place: Path) -> list[str]:
    """All columns; raises DataSetError for a file that is not CSV, or has no header."""
    with _reader(place) as reader:
        names: list[str] = reader.schema.names
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
def _reader(place: Path, known: Sequence[str] = (), chosen: Sequence[str] = ()) -> Iterator[Any]:
    """The streaming reader of pyarrow; its errors, which quote the file's values, become ours."""
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
        raise _read_error(place, known, uneven, error) from None


def _read_error(place: Path, known: Sequence[str], uneven: Sequence[Any], error: Exception) -> DataSetError:
    if isinstance(error, UnicodeDecodeError):
        return DataSetError(f"the header of {place} is not UTF-8; save the file as UTF-8")
    if uneven:
        row = uneven[0]
        return DataSetError(
            f"{place}, row {row.number - 1}: {row.actual_columns} values for {row.expected_columns} columns; "
            "separate values by commas and quote those that hold one"
        )
    conversion = _CONVERSION_ERROR.match(str(error))
    if conversion and known:
        where = f", row {int(conversion[2]) - 1}" if conversion[2] else ""
        return not_numeric(place, known[int(conversion[1])], where)
    return DataSetError(f"{place} is not a CSV file with a header and comma-separated values")


def batches(place: Path, known: Sequence[str], chosen: Sequence[str]) -> Iterator[RecordBatch]:
    """The rows of the `chosen` of the `known` columns; raises DataSetError where it cannot be read on."""
    with _reader(place, known, chosen) as reader:
        yield from reader


def not_numeric(place: Path, column: str, where: str) -> DataSetError:
    """The error about a column, in either kind of file."""
    return DataSetError(
        f"{place}{where}: column {column!r} is not numeric; encode it as numbers or leave it out"
    )
