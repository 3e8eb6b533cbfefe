"""Rows of a CSV file, streamed by pyarrow, whose errors quote the file's values: ours do not."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import ArrowInvalid, DataType, RecordBatch, binary, compute, csv, float64, string

from services.common.errors import DataSetError, UnusableColumn

_CONVERSION_ERROR = re.compile(
    r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to \w+: invalid value '(.*)'", re.DOTALL
)
_NOT_UTF8 = re.compile(r"In CSV column #(\d+): Row #(\d+): CSV conversion error to string: invalid UTF8")
_UNEVEN = re.compile(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_WHOLE = r"^\s*[-+]?[0-9]{1,400}(\.0*)?\s*$"
_LARGEST_EXACT = 2**53
_NUMBER = float64()
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_KINDS = (
    (r"(?i)true|false|yes|no", "yes or no; write 1 and 0"),
    (r"[-+]?\d+,\d+|[-+]?[\d.,' ]*\d[.,' ][\d.,' ]*", "a number with commas or spaces; write it like 1234.5"),
    (r"\s*[-+]?[\d.,]+\s*\D{1,3}|\D{1,3}\s*[\d.,]+", "a number with a unit; write the number alone"),
    (r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*", "a date; write it as a number"),
    (r"(?s).*\x00.*", "a zero byte; write the file again"),
    (r"(?s).*\n.*", "text over several lines, or a quote that is not closed"),
)


def columns(place: Path) -> list[str]:
    """All columns; raises DataSetError for a file that is not CSV, or has no header."""
    _require_text(place)
    with _reader(place) as reader:
        names: list[str] = reader.schema.names
    if all(_is_number(name) for name in names):
        raise DataSetError(f"the first row of {place} holds numbers; put the columns' names there")
    return names


def index_columns(_place: Path) -> list[str]:
    """A CSV file does not tell which column is an index."""
    return []


def _require_text(place: Path) -> None:
    with place.open("rb") as file:
        start = file.read(4096)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start:
        raise DataSetError(f"{place} is UTF-16 or no text (it holds zero bytes); save it as CSV in UTF-8")
    header = re.split(rb"[\r\n]", start, maxsplit=1)[0]
    used = [word for delimiter, word in _DELIMITERS.items() if delimiter.encode() in header]
    if used and b"," not in header:  # a decimal comma would be taken for a delimiter
        raise DataSetError(
            f"{place} separates values by {used[0]}; save it with commas between values and points in numbers"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextmanager
def _reader(
    place: Path, known: Sequence[str] = (), chosen: Mapping[str, DataType] | None = None
) -> Iterator[Any]:
    """The streaming reader of pyarrow; its errors, which quote the file's values, become ours.

    A handler of uneven rows would be given them as text: what cannot be decoded would go to the terminal.
    """
    types = dict(chosen or {})
    try:
        with csv.open_csv(
            place,
            read_options=csv.ReadOptions(use_threads=False),  # only so do errors carry the row
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                strings_can_be_null=string() in types.values(),
            ),
        ) as reader:
            yield reader
    except (ArrowInvalid, UnicodeDecodeError, OSError) as error:
        raise _read_error(place, known, error) from None


def _read_error(place: Path, known: Sequence[str], error: Exception) -> DataSetError:
    if isinstance(error, UnicodeDecodeError):
        return DataSetError(f"the header of {place} is not UTF-8; save the file as UTF-8")
    text = str(error)
    if uneven := _UNEVEN.match(text):
        where = f", row {int(uneven[1]) - 1}" if uneven[1] else ""
        return DataSetError(
            f"{place}{where}: {uneven[3]} values for {uneven[2]} columns; "
            "separate values by commas, quote those that hold one, and close every quote"
        )
    conversion = _CONVERSION_ERROR.match(text)
    if conversion and known:
        where = f", row {int(conversion[2]) - 1}" if conversion[2] else ""
        return not_numeric(place, known[int(conversion[1])], where, words_for(conversion[3]))
    if foreign := _NOT_UTF8.match(text):
        column = known[int(foreign[1])]
        return UnusableColumn(
            f"{place}, row {int(foreign[2]) - 1}: column {column!r} is not UTF-8; save the file as UTF-8"
        )
    if "straddling object" in text:
        return DataSetError(
            f"{place} has a row longer than 1 MiB, or a quote that is not closed; shorten or close it"
        )
    return DataSetError(f"{place} is not a CSV file with a header and comma-separated values")


def words_for(value: str) -> str:
    """What a value is, in words that do not tell it."""
    return next((kind for pattern, kind in _KINDS if re.fullmatch(pattern, value[:100])), "")


def batches(place: Path, known: Sequence[str], chosen: Mapping[str, str]) -> Iterator[RecordBatch]:
    """The rows of the `chosen` columns, those of the kind "number" as numbers, others as texts.

    Raises DataSetError where it cannot be read on.
    """
    numbers = [name for name, kind in chosen.items() if kind == "number"]
    texts = enumerate(_written(place, known, numbers))
    before = 0
    types = {name: _NUMBER if kind == "number" else string() for name, kind in chosen.items()}
    with _reader(place, known, types) as reader:
        for number, batch in enumerate(reader):
            if any(is_large(batch.column(name).to_numpy(zero_copy_only=False)).any() for name in numbers):
                written = next(text for place_of, text in texts if place_of == number)
                _require_exact(place, batch, written, before)
            before += batch.num_rows
            yield batch


def _written(place: Path, known: Sequence[str], chosen: Sequence[str]) -> Iterator[RecordBatch]:
    """The same batches as they are written: the file is cut into them by its bytes alone."""
    with _reader(place, known, dict.fromkeys(chosen, binary())) as reader:
        yield from reader


def _require_exact(place: Path, batch: RecordBatch, written: RecordBatch, before: int) -> None:
    for name in written.column_names:
        values = batch.column(name).to_numpy(zero_copy_only=False)
        texts = written.column(name)
        whole = compute.match_substring_regex(texts, _WHOLE).to_numpy(zero_copy_only=False)
        for row in map(int, np.flatnonzero(whole & is_large(values))):
            if int(texts[row].as_py().partition(b".")[0]) != float(values[row]):
                raise not_exact(place, name, before + row + 1)


def not_numeric(place: Path, column: str, where: str, kind: str = "") -> UnusableColumn:
    """The error about a column, in either kind of file; `kind` is what was found and what to do."""
    found = f" (found: {kind})" if kind else ""
    return UnusableColumn(
        f"{place}{where}: column {column!r} is not numeric{found}; encode it as numbers or leave it out"
    )


def is_large(values: Any) -> Any:
    """Which of some floats may have been rounded if they were whole numbers."""
    return np.abs(values) > _LARGEST_EXACT - 1


def not_exact(place: Path, column: str, row: int) -> UnusableColumn:
    """The error about a whole number that would be rounded, in either kind of file."""
    return UnusableColumn(
        f"{place}, row {row}: column {column!r} has a whole number beyond 2^53 ({_LARGEST_EXACT}), which "
        "would be rounded; leave the column out if it names rows, or write it in larger units"
    )
