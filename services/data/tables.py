"""Files of ordinary columns, read in constant memory: numbers, truth values, dates and texts, with gaps."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.preparation.columns import Column
from protocol.preparation.tables import Table
from services.common.errors import UnusableColumn
from services.data.tabular import Opened, open_columns, plain_name

if TYPE_CHECKING:
    from services.data.readings import ValueKind

KIND_READ: Mapping[str, "ValueKind"] = {
    "numeric": "number",
    "boolean": "boolean",
    "date": "date",
    "categorical": "text",
}
"""How a request's columns are read, by their kind."""


def kinds_asked(columns: Sequence[Column]) -> dict[str, "ValueKind"]:
    """How the columns of a request or a model are read."""
    return {column.name: KIND_READ[column.kind] for column in columns}


def read_tables(path: Path | str, kinds: Mapping[str, "ValueKind"]) -> Iterator[Table]:
    """The file's rows for these columns, each read as its kind; about 8 MB at a time.

    Raises DataSetError, now or while they are read, naming the file, the column, the row (the first after
    the header is row 1) and the remedy.
    """
    opened = open_columns(path, list(kinds))
    return _tables(opened, {name: (opened.written[plain_name(name)], kind) for name, kind in kinds.items()})


def _tables(opened: Opened, columns: Mapping[str, tuple[str, "ValueKind"]]) -> Iterator[Table]:
    from services.data.readings import MisreadValue, values_of  # noqa: PLC0415  by pyarrow, which is slow to load

    before = 0
    for batch in opened.batches(dict(columns.values())):
        table = {}
        for name, (written, kind) in columns.items():
            try:
                table[name] = values_of(batch.column(written), kind)
            except MisreadValue as error:
                row = before + error.row + 1
                raise UnusableColumn(f"{opened.place}, row {row}: column {name!r} {error.reason}") from None
        before += batch.num_rows
        yield table
