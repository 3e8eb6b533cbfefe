"""SQLite that reports a full disk by itself: its file may not grow, and all its free pages are taken."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from services.store import Store


def fill(connection: sqlite3.Connection) -> None:
    """Let nothing more be written by way of this connection."""
    connection.execute("CREATE TABLE IF NOT EXISTS ballast (content BLOB)")  # while there is space for it
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")
    for size in (1 << 16, 1 << 12, 1 << 8, 1):
        with suppress(sqlite3.OperationalError):
            while True:
                connection.execute("INSERT INTO ballast VALUES (zeroblob(?))", (size,))


def free(connection: sqlite3.Connection) -> None:
    """Let there be room again."""
    connection.execute("PRAGMA max_page_count=1073741823")
    connection.execute("DROP TABLE IF EXISTS ballast")


@contextmanager
def full_disk(store: Store) -> Iterator[None]:
    """A store whose disk is full in the block: what still finds room in a page of its file is written."""
    fill(_connection(store))
    try:
        yield
    finally:
        free(_connection(store))


@contextmanager
def unwritable(store: Store) -> Iterator[None]:
    """A store that takes nothing at all in the block."""
    _connection(store).execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        _connection(store).execute("PRAGMA query_only=OFF")


def _connection(store: Store) -> sqlite3.Connection:
    raw = store._database.engine.raw_connection().driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw
