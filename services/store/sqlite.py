"""A store in an SQLite file: write-ahead log, full synchronisation, one connection, a lock file beside it."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from typing_extensions import override

from services.common.errors import ConfigurationError
from services.store.backend import Backend, in_use


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
        sa.event.listen(self.engine, "connect", _prepare)

    @override
    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """The one connection, which is kept: to open and to close it takes longer than most statements."""
        if self._kept is None:
            self._kept = self.engine.connect()
        try:
            yield self._kept
        except sa.exc.DBAPIError:
            self._let_go()  # whatever it is in, the next one begins anew
            raise

    @override
    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that SQLite is told of; SQLAlchemy, which would open a connection for it, is not."""
        with self.reading() as connection:
            driver: Any = connection.connection.driver_connection
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # what went wrong first is what is told
                    driver.rollback()  # nothing where the database has done so already
                raise

    @override
    def close(self) -> None:
        self._let_go()
        super().close()

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    @override
    @contextmanager
    def exclusive(self, connection: sa.Connection) -> Iterator[None]:
        yield


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


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver would begin transactions of its own
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
