"""Rows of a Parquet file, streamed by pyarrow."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import ArrowException, DataType, RecordBatch, compute, float64, parquet, types

from services.common.errors import DataSetError, UnusableColumn
from services.data.csv_rows import is_large, not_exact, not_numeric

_BATCH_VALUES = 1 << 20
_INDEX_NAME = re.compile(r"__index_level_\d+__")


@contextmanager
def _file(place: Path) -> Iterator[parquet.ParquetFile]:
    try:
        # A buffer makes pyarrow stream pages; otherwise a file of one row group is held whole.
        with parquet.ParquetFile(place, buffer_size=_BATCH_VALUES, pre_buffer=False) as file:
            yield file
    except (ArrowException, OSError, UnicodeDecodeError):
        raise DataSetError(f"{place} is not a Parquet file, or it is damaged; write it again") from None


def columns(place: Path) -> list[str]:
    """All columns but pandas' index; raises DataSetError for a file that is not Parquet."""
    with _file(place) as file:
        left_out = _index(file)
        return [name for name in file.schema_arrow.names if name not in left_out]


def index_columns(place: Path) -> list[str]:
    """The columns in which pandas stored the index of its rows: numbers of rows, not measurements."""
    with _file(place) as file:
        left_out = _index(file)
        return [name for name in file.schema_arrow.names if name in left_out]


def _index(file: parquet.ParquetFile) -> frozenset[str]:
    """By pandas' description, or where that cannot be read by the names that pandas gives an index."""
    names = file.schema_arrow.names
    try:
        described = (file.schema_arrow.pandas_metadata or {}).get("index_columns", [])
        told = frozenset(name for name in described if isinstance(name, str))
    except (ValueError, AttributeError, TypeError, RecursionError):
        told = frozenset()
    return told | frozenset(name for name in names if _INDEX_NAME.fullmatch(name))


def batches(place: Path, _known: Sequence[str], chosen: Mapping[str, str]) -> Iterator[RecordBatch]:
    """The rows of the `chosen` columns; raises DataSetError for one whose type is not of its kind."""
    with _file(place) as file:
        for name, kind in chosen.items():
            _require_kind(place, name, file.schema_arrow.field(name).type, kind)
        size = max(len(chosen) + 1, _BATCH_VALUES // len(chosen))
        before = 0
        for batch in file.iter_batches(batch_size=size, columns=list(chosen), use_threads=False):
            for name in (name for name, kind in chosen.items() if kind == "number"):
                _require_exact(place, name, batch.column(name), before)
            before += batch.num_rows
            yield batch


def kinds(place: Path, chosen: Sequence[str]) -> dict[str, str | None]:
    """What the columns are by their types; None for texts, which must be read, and "" for other types."""
    with _file(place) as file:
        return {name: _kind(file.schema_arrow.field(name).type) for name in chosen}


def _kind(kind: DataType) -> str | None:
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_string(kind) or types.is_large_string(kind):
        return None
    if types.is_boolean(kind):
        return "boolean"
    if types.is_date(kind) or types.is_timestamp(kind):
        return "date"
    return "number" if _is_number(kind) else ""


def _is_number(kind: DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _require_kind(place: Path, name: str, kind: DataType, asked: str) -> None:
    """Each kind is read of its own type, of texts, and where a value stays what it is of another."""
    found = _kind(kind)
    if asked == "number":
        if found not in ("number", "boolean"):
            raise not_numeric(place, name, "", str(kind)[:100])
        return
    levels = ("boolean", "number") if types.is_integer(kind) else ("boolean",)
    likewise = {"boolean": ("number",), "text": levels}
    if found not in (None, asked, *likewise.get(asked, ())):
        raise UnusableColumn(
            f"{place}: column {name!r} holds {str(kind)[:100]}, which cannot be read as {_WORDS[asked]}"
        )


_WORDS = {"boolean": "yes or no", "date": "dates", "text": "levels"}


def _require_exact(place: Path, name: str, values: Any, before: int) -> None:
    if types.is_floating(values.type) or types.is_boolean(values.type):
        return
    floats = compute.cast(values, float64(), safe=False).to_numpy(zero_copy_only=False)
    for row in map(int, np.flatnonzero(is_large(floats))):
        exact = values[row].as_py()
        if exact == int(exact) and exact != float(floats[row]):
            raise not_exact(place, name, before + row + 1)
