"""The rows of files, read in constant memory: numbers, truth values, dates and texts, with gaps."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.columns import Column, kind_held
from protocol.preparation.moments import moment_of
from protocol.preparation.tables import Table, Texts, ValueKind, Values, joined, row_count, rows_of
from services.common.errors import DataSetError, UnusableColumn
from services.data.row_files import (
    ROW_LIMIT,
    Opened,
    Progress,
    name_list,
    open_columns,
    plain_name,
)

MOST_WITH_LOGARITHMS = 256
"""Columns of a file: of wider ones no logarithms are kept, which would make the factor twice as wide."""

KIND_READ: Mapping[str, ValueKind] = {
    "numeric": "number",
    "boolean": "boolean",
    "date": "date",
    "categorical": "text",
}
"""How a request's columns are read, by their kind."""


def kinds_asked(columns: Sequence[Column]) -> dict[str, ValueKind]:
    """How the columns of a request or a model are read."""
    return {column.name: KIND_READ[kind_held(column)] for column in columns}


def read_tables(path: Path | str, kinds: Mapping[str, ValueKind]) -> Iterator[Table]:
    """The file's rows for these columns, each read as its kind; about 8 MB at a time.

    Raises DataSetError, now or while they are read, naming the file, the column, the row (the first after
    the header is row 1) and the remedy.
    """
    opened = open_columns(path, list(kinds))
    return _tables(opened, {name: (opened.written[plain_name(name)], kind) for name, kind in kinds.items()})


def _tables(opened: Opened, columns: Mapping[str, tuple[str, ValueKind]]) -> Iterator[Table]:
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


@dataclass(frozen=True, slots=True)
class Import:
    """What an owner declares of a file: columns that are levels whatever they hold, and bounds of others.

    Values outside `clip`, in days since 1970 for dates, are brought to the nearest of them, and counted.
    """

    columns: Sequence[str] | None = None
    categorical: Collection[str] = ()
    clip: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def read_statistic(
    path: Path | str, declared: Import | None = None, progress: Progress | None = None
) -> Statistic:
    """All that a training needs of a file of any length, in the memory of one batch; reads it twice.

    Raises DataSetError as `read_tables` and `read_kinds` do, for a file without rows, for a column without
    values, and for declared columns that are not there or hold texts.
    """
    from services.data.column_kinds import read_kinds  # noqa: PLC0415  by pyarrow

    declared = declared or Import()
    kinds = read_kinds(path, declared.columns, categorical=declared.categorical)
    _require_declared(path, declared, kinds)
    builder = statistic_builder(kinds, declared.clip)
    count = 0
    try:
        for table in read_tables(path, kinds):
            builder.add(table)
            count += row_count(table)
            if progress is not None:
                progress(count)
        _require_rows(path, count)
        return builder.finish()
    except MisuseError as error:
        raise UnusableColumn(f"{path}: {error}") from None


def statistic_builder(
    kinds: Mapping[str, ValueKind],
    clip: Mapping[str, tuple[float, float]] | None = None,
    *,
    logs: bool | None = None,
) -> StatisticBuilder:
    """For columns that are read so; `logs` decides about logarithms, else how many columns there are."""
    return StatisticBuilder(
        kinds,
        logs=len(kinds) <= MOST_WITH_LOGARITHMS if logs is None else logs,
        bounds=clip,
    )


def table_lines(table: Table, kinds: Mapping[str, ValueKind]) -> list[list[float | str | None]]:
    """Rows as a CSV file has them: dates as such, None for gaps."""
    columns = [_shown(values, is_date=kinds[name] == "date") for name, values in table.items()]
    return [list(row) for row in zip(*columns, strict=True)]


def _require_declared(path: Path | str, declared: Import, kinds: Mapping[str, ValueKind]) -> None:
    strangers = [name for name in (*declared.categorical, *declared.clip) if name not in kinds]
    if strangers:
        raise DataSetError(f"{path} has no column {strangers[0]!r}; it has {name_list(list(kinds))}")
    for name in declared.clip:
        if kinds[name] not in ("number", "date"):
            raise DataSetError(f"{path}: column {name!r} holds no numbers or dates; it cannot be clipped")


def first_rows(path: Path | str, statistic: Statistic, count: int) -> list[list[float | str | None]]:
    """A file's first rows for people, as its statistic reads them: dates as such, None for gaps."""
    kinds = {column.name: KIND_READ.get(column.kind, "text") for column in statistic.kept}
    head = rows_of(next(read_tables(path, kinds)), slice(0, count))
    return table_lines(head, kinds)


def _shown(values: Values, *, is_date: bool) -> list[float | str | None]:
    if isinstance(values, Texts):
        return [None if code < 0 else values.levels[code] for code in values.codes.tolist()]
    numbers = [None if np.isnan(value) else value for value in values.tolist()]
    return [moment_of(value) if is_date and value is not None else value for value in numbers]


def read_table(path: Path | str, kinds: Mapping[str, ValueKind], limit: int = ROW_LIMIT) -> Table:
    """A file small enough to hold in memory.

    Raises DataSetError as `read_tables` does, for a file without rows, and for more than `limit` rows.
    """
    tables, count = [], 0
    for table in read_tables(path, kinds):
        count += row_count(table)
        if count > limit:
            raise DataSetError(f"{path} has more than {limit} rows; take a sample of it")
        tables.append(table)
    _require_rows(path, count)
    return joined(tables)


def _require_rows(path: Path | str, count: int) -> None:
    if not count:
        raise DataSetError(f"{path} has a header but no rows; at least one is needed")
