"""Tables in memory as rows of any kinds of columns: of pandas, polars, Arrow and what else has its stream."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.compute

from protocol.data_set import DataSet, card_of
from protocol.errors import MisuseError
from protocol.preparation import tables as prepared
from protocol.preparation.columns import Column, DateColumn, NumericColumn
from protocol.preparation.design import raw_range
from protocol.preparation.tables import ValueKind, Values
from protocol.request import Request
from protocol.requirements import mismatches
from services.common.accents import composed
from services.common.errors import DataSetError, UnusableColumn
from services.data.readings import MisreadValue, is_text, values_of
from services.data.row_files import name_list, plain_name
from services.data.row_reader import kinds_asked, statistic_builder

pc: Any = pyarrow.compute
"""Made when it is loaded, so that no stub knows all of it."""


@runtime_checkable
class Table(Protocol):
    """A table by the Arrow PyCapsule interface, which pandas, polars, pyarrow, DuckDB and others have.

    https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule of an ArrowArrayStream."""
        ...


def data_set_of(name: str, table: Table, request: Request) -> DataSet:
    """A table as a data set with a card of its own ranges; its values are clipped where the request says so.

    Raises DataSetError for what is no table, has no rows or lacks a column, and for a value that is not of
    its column's kind or that the request does not take; `name` is the table's in it.
    """
    place = f"table {name!r}"
    if not isinstance(table, Table):
        raise DataSetError(f"{place} is a {type(table).__name__}; give a table of pandas, polars or Arrow")
    columns = request.columns
    kinds = kinds_asked(columns)
    rows = rows_of(place, table, kinds)
    if not prepared.row_count(rows):
        raise DataSetError(f"{place} has no rows; at least one is needed")
    builder = statistic_builder(kinds, _clips(columns), logs=True)
    builder.add(rows)
    try:
        statistic = builder.finish()
    except MisuseError as error:
        raise DataSetError(f"{place}: {error}") from None
    card = card_of("rows", statistic, exact=True)
    reasons = mismatches(request, card)
    if reasons:
        raise DataSetError(f"{place} does not serve the request: {'; '.join(reasons)}")
    return DataSet(card, statistic, tables=lambda: [rows])


def _clips(columns: Sequence[Column]) -> dict[str, tuple[float, float]]:
    return {
        column.name: raw_range(column)
        for column in columns
        if isinstance(column, NumericColumn | DateColumn) and column.outside == "clip"
    }


def rows_of(place: str, table: Table, kinds: Mapping[str, ValueKind]) -> prepared.Table:
    """The columns of a table, each as its kind; raises DataSetError as `data_set_of` does."""
    try:
        read = pa.table(table)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # they quote values
        raise DataSetError(f"{place} has a column of several types; make each column of one") from None
    names = [plain_name(str(name)) for name in read.column_names]
    for name in kinds:
        if name not in names:
            raise DataSetError(f"{place} has no column {name!r}; it has {name_list(names)}")
        if names.count(name) > 1:
            raise DataSetError(f"{place} has two columns named {name!r}; rename one")
    return {name: _values(place, name, read.column(names.index(name)), kind) for name, kind in kinds.items()}


def with_plain_names(table: Any) -> Any:
    """The table itself; where its columns' names have accents in another form than NFC, one in that form."""
    names = table.column_names if isinstance(table, pa.Table) else getattr(table, "columns", ())
    is_other = any(isinstance(name, str) and composed(name) != name for name in names)
    if not isinstance(table, Table) or not is_other:
        return table
    written = [str(name) for name in names]
    return pa.table(table).select(written).rename_columns([composed(name) for name in written])


def _values(place: str, name: str, column: Any, kind: ValueKind) -> Values:
    column = _plain(column).combine_chunks()
    if kind == "number" and (is_text(column.type) or not _is_number(column.type)):
        raise UnusableColumn(f"{place}: column {name!r} holds {column.type}, where numbers are asked for")
    try:
        return values_of(column, kind)
    except MisreadValue as error:
        raise UnusableColumn(f"{place}, row {error.row + 1}: column {name!r} {error.reason}") from None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UnusableColumn(f"{place}: column {name!r} holds {column.type}; it cannot be a {kind}") from None


def _plain(column: Any) -> Any:
    """Without dictionaries, and texts as one of the types that `is_text` knows: polars has views of texts."""
    if pa.types.is_dictionary(column.type):
        chunks = [pc.take(_plain(chunk.dictionary), chunk.indices) for chunk in column.chunks]
        return pa.chunked_array(chunks or [pa.array([], pa.string())])
    return pc.cast(column, pa.string()) if pa.types.is_string_view(column.type) else column


def _is_number(kind: Any) -> bool:
    types = pa.types
    is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    return bool(is_number or types.is_boolean(kind) or types.is_null(kind))
