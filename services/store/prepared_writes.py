"""Statements of a transaction, made once and run again and again, as SQLite's driver takes them.

As with the reads (`prepared`), SQLAlchemy takes longer to bind, run and wrap one than SQLite to do it. On
another database, and for statements that are put together for one use, SQLAlchemy runs them.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from services.store.prepared import PreparedReads, Processor

PREPARED = "prepared"
"""Under this name a connection's `info` holds the statements that are prepared on it."""

Values = Mapping[str, Any]


def change(
    connection: sa.Connection, statement: sa.Insert | sa.Update | sa.Delete, rows: Sequence[Values]
) -> int:
    """Run a statement that changes rows, once for each of `rows`; returns how many it changed.

    Rows are parameters by name, the same names in each. Raises sa.exc.DBAPIError.
    """
    on_driver: OnDriver | None = connection.info.get(PREPARED)
    if on_driver is None:
        return connection.execute(statement, list(rows)).rowcount
    return on_driver.change(statement, rows)


def first_row(connection: sa.Connection, query: sa.Select[Any], values: Values) -> Any | None:
    """The first row of a query as the transaction sees it, or None; raises sa.exc.DBAPIError."""
    on_driver: OnDriver | None = connection.info.get(PREPARED)
    if on_driver is None:
        return connection.execute(query, values).first()
    return on_driver.first(connection, query, values)


class PreparedWrite:
    """One INSERT, UPDATE or DELETE, compiled for parameters of certain names."""

    def __init__(
        self, statement: sa.Insert | sa.Update | sa.Delete, names: Sequence[str], dialect: sa.Dialect
    ) -> None:
        """`names` are those of the parameters that each row brings."""
        # Like SQLAlchemy itself: of an insert, columns that no parameter names get their defaults.
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
        self.text = str(compiled)
        defaults = {column.key: column.default for column in compiled.insert_prefetch}
        self._own: dict[str, Callable[[], Any]] = {
            name: _own_value(bind, defaults.get(name))
            for name, bind in compiled.binds.items()
            if name in defaults or not bind.required
        }
        self._places: list[tuple[str, Processor | None]] = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup
        ]

    def run(self, driver: sqlite3.Connection, rows: Sequence[Values]) -> int:
        """Run it for each row; returns how many rows it changed. Raises sqlite3.Error."""
        if len(rows) == 1:
            return driver.execute(self.text, self._bound(rows[0])).rowcount
        return driver.executemany(self.text, [self._bound(row) for row in rows]).rowcount

    def _bound(self, row: Values) -> list[Any]:
        found = []
        for name, process in self._places:
            value = row[name] if name in row else self._own[name]()
            found.append(value if process is None else process(value))
        return found


def _own_value(bind: sa.BindParameter[Any], default: Any) -> Callable[[], Any]:
    """What a row gets that does not name a parameter: its column's default, or the statement's own value."""
    if default is None:
        return lambda: bind.value
    if default.is_scalar:
        return lambda: default.arg
    return lambda: default.arg(None)  # SQLAlchemy hands it a context, which none of ours looks at


class PreparedWrites:
    """The statements that were run with SQLite, each for the names of the parameters that came with it.

    Statements are those of modules; what is put together for one use is not to be run by `change`.
    """

    def __init__(self, dialect: sa.Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[sa.Executable, dict[tuple[str, ...], PreparedWrite]] = (
            WeakKeyDictionary()
        )

    def of(self, statement: sa.Insert | sa.Update | sa.Delete, names: tuple[str, ...]) -> PreparedWrite:
        """The statement, compiled for parameters of these names."""
        of_statement = self._known.setdefault(statement, {})
        prepared = of_statement.get(names)
        if prepared is None:
            prepared = of_statement[names] = PreparedWrite(statement, names, self._dialect)
        return prepared


@dataclass(frozen=True, slots=True)
class OnDriver:
    """What is prepared, for the driver of one connection."""

    driver: sqlite3.Connection
    reads: PreparedReads
    writes: PreparedWrites

    def change(self, statement: sa.Insert | sa.Update | sa.Delete, rows: Sequence[Values]) -> int:
        """As the function `change`."""
        prepared = self.writes.of(statement, tuple(rows[0]))
        try:
            return prepared.run(self.driver, rows)
        except sqlite3.Error as error:
            raise as_of_sqlalchemy(error, prepared.text) from error

    def first(self, connection: sa.Connection, query: sa.Select[Any], values: Values) -> Any | None:
        """As the function `first_row`."""
        prepared = self.reads.of(query)
        if prepared is None:
            return connection.execute(query, values).first()
        try:
            return prepared.first(self.driver, values)
        except sqlite3.Error as error:
            raise as_of_sqlalchemy(error, prepared.text) from error


def as_of_sqlalchemy(error: sqlite3.Error, statement: str) -> Exception:
    """The driver's error as SQLAlchemy tells it: whoever works with a store sees one sort of errors.

    Without the parameters, which may be secrets.
    """
    told: Exception = sa.exc.DBAPIError.instance(statement, None, error, sqlite3.Error, hide_parameters=True)
    return told
