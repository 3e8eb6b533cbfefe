"""Reads that are made once and asked again and again, as SQLite's driver takes them.

SQLAlchemy binds, runs and wraps each anew, which takes ten times as long as the read itself; a step has a
dozen of them.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

Processor = Callable[[Any], Any]


class PreparedRead:
    """One SELECT, compiled; its rows have their columns' names and are tuples as well."""

    def __init__(self, query: sa.Select[Any], compiled: sa.Compiled, names: Sequence[str]) -> None:
        """`names` are those of the parameters, in the order of their marks."""
        self.text = compiled.string
        self._names = names
        binds: Mapping[str, sa.BindParameter[Any]] = getattr(compiled, "binds", {})
        self._given = {name: bind.value for name, bind in binds.items() if not bind.required}
        columns = list(query.selected_columns)
        self._row = _row_type([column.key or "" for column in columns])
        processors = [_processor(column.type, compiled.dialect) for column in columns]
        self._processors = [(place, one) for place, one in enumerate(processors) if one is not None]

    def all(self, driver: sqlite3.Connection, values: Mapping[str, Any]) -> list[Any]:
        """Every row; raises sqlite3.Error."""
        return [self._of(found) for found in driver.execute(self.text, self._bound(values))]

    def first(self, driver: sqlite3.Connection, values: Mapping[str, Any]) -> Any | None:
        """The first row or None; raises sqlite3.Error."""
        cursor = driver.execute(self.text, self._bound(values))
        found = cursor.fetchone()
        cursor.close()  # a read that is left open holds the database as it was
        return None if found is None else self._of(found)

    def _bound(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] if name in values else self._given[name] for name in self._names]

    def _of(self, found: tuple[Any, ...]) -> Any:
        if not self._processors:
            return self._row._make(found)
        fields = list(found)
        for place, process in self._processors:
            fields[place] = process(fields[place])
        return self._row._make(fields)


def _row_type(names: list[str]) -> Any:
    return namedtuple("Row", names, rename=True)  # noqa: PYI024  known when it runs


def _processor(column_type: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Processor | None:
    """What makes a value of this type of the driver's: it has no booleans, for example."""
    process: Processor | None = column_type.dialect_impl(dialect).result_processor(dialect, None)
    return process


class _Seen(Enum):
    """Of a query that has come, and is not made: whether it may be with the next time, or never."""

    ONCE = "once"
    NOT_OURS = "not ours"


class PreparedReads:
    """Those of one database, by the query itself: the second time that it comes it is made once and for all.

    What is put together for one use never comes a second time, and is not kept.
    """

    def __init__(self, dialect: sa.Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[sa.Executable, PreparedRead | _Seen] = WeakKeyDictionary()

    def of(self, query: sa.Executable) -> PreparedRead | None:
        """The read; None for what SQLAlchemy is to run, such as a query with a list among its parameters."""
        known = self._known.get(query)
        if known is None:
            known = self._known[query] = _Seen.ONCE
        elif known is _Seen.ONCE:
            known = self._known[query] = self._made(query) or _Seen.NOT_OURS
        return known if isinstance(known, PreparedRead) else None

    def _made(self, query: sa.Executable) -> PreparedRead | None:
        if not isinstance(query, sa.Select):
            return None
        compiled = query.compile(dialect=self._dialect)
        names = getattr(compiled, "positiontup", None)
        written_out: frozenset[Any] = getattr(compiled, "post_compile_params", frozenset())
        return None if names is None or written_out else PreparedRead(query, compiled, names)
