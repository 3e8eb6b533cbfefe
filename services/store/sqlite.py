"""A store in an SQLite file: write-ahead log, full synchronisation, one connection, a lock file beside it."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from typing_extensions import override

from services.common.errors import ConfigurationError
from services.store.backend import Backend, in_use
from services.store.prepared import PreparedReads
from services.store.prepared_writes import PREPARED, OnDriver, PreparedWrites, as_of_sqlalchemy

_DIALECT = sqlite.dialect()
_READS, _WRITES = PreparedReads(_DIALECT), PreparedWrites(_DIALECT)
"""Of all stores of this process: a statement is the same in each, and takes longer to make than to run."""


class SqliteMemory(Backend):
    """A store that ends with its process: its one connection is the store."""

    begin_snapshot = ("BEGIN",)

    def __init__(self, url: sa.URL) -> None:
        self.place = str(url)
        self.engine = sa.create_engine(
            url, poolclass=sa.StaticPool, connect_args={"check_same_thread": False}
        )
        self.reader = self.engine
        self._kept: sa.Connection | None = None
        sa.event.listen(self.engine, "connect", self._prepare)

    @override
    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """The one connection, which is kept: to open and to close it takes longer than most statements."""
        try:
            yield self._connection()
        except sa.exc.DBAPIError:
            self.let_go()  # whatever it is in, the next one begins anew
            raise

    @override
    def read(self, query: sa.Executable, values: Mapping[str, Any]) -> Sequence[Any]:
        prepared = _READS.of(query)
        if prepared is None:
            return super().read(query, values)
        with self._telling(prepared.text):
            return prepared.all(self._driver(), values)

    @override
    def read_first(self, query: sa.Executable, values: Mapping[str, Any]) -> Any | None:
        prepared = _READS.of(query)
        if prepared is None:
            return super().read_first(query, values)
        with self._telling(prepared.text):
            return prepared.first(self._driver(), values)

    @override
    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that SQLite is told of; SQLAlchemy, which would open a connection for it, is not."""
        with self.reading() as connection:
            driver = self._driver()
            with self._telling("BEGIN"):
                driver.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                with self._telling("COMMIT"):
                    driver.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # what went wrong first is what is told
                    driver.rollback()  # nothing where the database has done so already
                raise

    @override
    def close(self) -> None:
        self.let_go()
        super().close()

    def _connection(self) -> sa.Connection:
        if self._kept is None:
            self._kept = self.engine.connect()
        return self._kept

    def _driver(self) -> sqlite3.Connection:
        driver: Any = self._connection().connection.driver_connection
        return cast(sqlite3.Connection, driver)

    def _prepare(self, driver: sqlite3.Connection, record: Any) -> None:
        driver.isolation_level = None  # the driver would begin transactions of its own
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
            driver.execute(f"PRAGMA {pragma}")
        record.info[PREPARED] = OnDriver(driver, _READS, _WRITES)

    def _telling(self, statement: str) -> "_Telling":
        return _Telling(self, statement)

    def let_go(self) -> None:
        """Begin with a new connection: whatever this one is in."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    @override
    @contextmanager
    def exclusive(self, connection: sa.Connection) -> Iterator[None]:
        yield


class _Telling:
    """What the driver is asked without SQLAlchemy fails as what it is asked through it: one sort of errors.

    Not a generator, which costs as much as a short statement.
    """

    def __init__(self, backend: SqliteMemory, statement: str) -> None:
        self._backend, self._statement = backend, statement

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            self._backend.let_go()
            raise as_of_sqlalchemy(error, self._statement) from error


class SqliteFile(SqliteMemory):
    """A store in a file that only its owner can read."""

    def __init__(self, url: sa.URL, *, exclusive: bool, existing: bool) -> None:
        """Make file and folder where they are missing; with `existing`, refuse a file that is not a store."""
        path = Path(url.database or "")
        if existing:
            _require_store(path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_path = path.with_name(f"{path.name}.lock")
        self._lock: IO[bytes] | None = _locked(self._lock_path) if exclusive else None
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        super().__init__(url)
        self.place = str(path)

    @override
    @contextmanager
    def exclusive(self, connection: sa.Connection) -> Iterator[None]:
        with nullcontext() if self._lock else _locked(self._lock_path):
            yield

    @override
    def close(self) -> None:
        super().close()
        if self._lock is not None:
            self._lock.close()


def _require_store(path: Path) -> None:
    """Raise ConfigurationError unless the file is a store; it is not changed by looking."""
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder; name the .sqlite file of one daemon in it")
    if not path.is_file():
        raise ConfigurationError(f"there is no store {path}; check the path, or start the daemon first")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone()
    except sqlite3.Error:
        table = None
    if table is None:
        raise ConfigurationError(
            f"{path} is not a daemon's store; name the file that its configuration names"
        )


def _locked(path: Path) -> IO[bytes]:
    """The system takes the lock back when the process ends, however it ends; the file itself stays."""
    file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise in_use(str(path.with_suffix(""))) from None
    return file
