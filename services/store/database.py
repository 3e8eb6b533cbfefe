"""The connection under a store: transactions for writing, bare connections for reading, on either database.

One process works on a store. A daemon opens it `exclusive`: a second one is refused. Others may look.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from services.common.errors import ConfigurationError, StoreDamaged, StoreUnavailable
from services.common.outages import Outage
from services.store.backend import Backend
from services.store.postgresql import PostgreSql
from services.store.sqlite import SqliteFile, SqliteMemory

_log = structlog.get_logger(__name__)

REST_SECONDS = 2.0
"""After a failure the database is not asked for so long: each attempt may block the daemon's event loop."""

CALM_SECONDS = 5.0
"""After its last failure a store is not called back before: on a full disk some writes still find room."""

_POSTGRESQL_DISK_FULL = "53100"


def store_outage(calm_seconds: float = CALM_SECONDS) -> Outage:
    """What tells that a store does not answer, or cannot be written."""
    return Outage(_log, "store_away", "store_back", calm_seconds=calm_seconds)


class Database:
    """One store's database."""

    def __init__(
        self,
        url: str,
        *,
        password: str | None = None,
        exclusive: bool = False,
        existing: bool = False,
        rest_seconds: float = REST_SECONDS,
        outage: Outage | None = None,
    ) -> None:
        """Connect; `sqlite://` is in memory, a file is made where there is none and is for its owner alone.

        With `existing`, a file that is missing or is not a store is refused and not made. After a failure the
        database is not asked for `rest_seconds`. `outage` is that of earlier attempts to open it.

        Raises StoreInUse when it should be exclusive and is not, StoreUnavailable when it does not answer,
        ConfigurationError for a URL of another kind.
        """
        self._rests_until, self._rest_seconds = 0.0, rest_seconds
        self.outage = outage or store_outage()
        self.backend: Backend = _backend(url, password, exclusive=exclusive, existing=existing)
        self.place = self.backend.place
        self.engine = self.backend.engine
        try:
            self.ping()
        except BaseException:
            self.close()
            raise

    def ping(self) -> None:
        """Raise StoreUnavailable unless the database answers."""
        self.scalar(sa.select(1))

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: all of the block or nothing.

        Raises StoreUnavailable when the database fails; a commit whose answer is lost may have taken place.
        """
        with self._answering("writing"), self.backend.writing() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Reads outside any transaction: each statement sees what is committed."""
        with self._answering("reading"), self.backend.reading() as connection:
            yield connection

    def rows(self, query: sa.Executable, **values: Any) -> Sequence[Any]:
        """All rows of a query, read outside any transaction; `values` are of its parameters."""
        with self._answering("reading"):
            return self.backend.read(query, values)

    def row(self, query: sa.Executable, **values: Any) -> Any | None:
        """The first row, or None."""
        with self._answering("reading"):
            return self.backend.read_first(query, values)

    def scalar(self, query: sa.Executable, **values: Any) -> Any | None:
        """The first column of the first row, or None."""
        found = self.row(query, **values)
        return None if found is None else found[0]

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Reads that all see one moment of the store, however long they take."""
        with (
            self._answering("reading"),
            self.backend.reading() as connection,
            self.backend.snapshot(connection),
        ):
            yield connection

    @contextmanager
    def exclusive(self) -> Iterator[sa.Connection]:
        """One transaction during which no other process works on the store; raises StoreInUse."""
        with self.writing() as connection, self.backend.exclusive(connection):
            yield connection

    def require_session(self, session: int) -> None:
        """Raise StoreUnavailable unless the connection that works now is of this session.

        Another process may have written since: whatever was read is to be read again.
        """
        if self.backend.session != session:
            raise self._unavailable("was connected to anew since this was begun: it is begun again")

    def insert_new(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An insert that passes over rows whose unique columns are there already."""
        return _insert_new(self.engine.dialect.name, table)

    def close(self) -> None:
        """Release connections and locks."""
        self.backend.close()

    @contextmanager
    def _answering(self, part: str) -> Iterator[None]:
        if time.monotonic() < self._rests_until:
            error = self._unavailable("did not answer a moment ago")
            error.told = True  # nothing was tried
            raise error
        try:
            yield
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
            self._rests_until = time.monotonic() + self._rest_seconds
            raise self.outage.failed(self._unavailable(_explained(error)), part=part) from None
        except sa.exc.DatabaseError as error:
            if type(error) not in (sa.exc.DatabaseError, sa.exc.InternalError):
                raise  # a mistake of ours
            raise StoreDamaged(
                f"the store {self.place} is damaged ({_reason(error)}): restore a backup"
            ) from None
        self.outage.works(part)

    def _unavailable(self, what: str) -> StoreUnavailable:
        return StoreUnavailable(f"the store {self.place} {what}", self._rest_seconds)


@cache
def _insert_new(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """One for all stores of this process: what is prepared for it is theirs as well."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _reason(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]


def _explained(error: sa.exc.DBAPIError) -> str:
    """What became of an attempt; a full disk has a remedy that no waiting replaces."""
    sqlite_code, state = (getattr(error.orig, name, None) for name in ("sqlite_errorcode", "sqlstate"))
    if sqlite_code == sqlite3.SQLITE_FULL or state == _POSTGRESQL_DISK_FULL:
        return f"cannot be written ({_reason(error)}): make room on its disk; what could not be stored waits"
    return f"does not answer: {_reason(error)}"


def _backend(url: str, password: str | None, *, exclusive: bool, existing: bool) -> Backend:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigurationError("the store's URL is not a URL") from None
    if parsed.get_backend_name() == "postgresql":
        return PostgreSql(parsed, password=password, exclusive=exclusive)
    if parsed.get_backend_name() != "sqlite":
        raise ConfigurationError(
            f"a store cannot be kept in {parsed.get_backend_name()}; use SQLite or PostgreSQL"
        )
    if not parsed.database or parsed.database == ":memory:":
        return SqliteMemory(parsed)
    return SqliteFile(parsed, exclusive=exclusive, existing=existing)
