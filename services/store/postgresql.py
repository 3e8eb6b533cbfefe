"""A store in PostgreSQL: one connection, which also holds the lock that keeps a second daemon out.

The lock belongs to the session that writes. So whoever writes holds it, also after the server was restarted:
the new session takes it again before its first statement, or the daemon ends. Another daemon may have
worked meanwhile, so a store remembers nothing across sessions, and what a step has read in one it does not
write in the next.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from services.store.backend import Backend, in_use

_LOCK_CLASS = 0x0DE17A31
_START_SECONDS = 5.0
_SETTINGS = """
    SET statement_timeout = '30s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SET synchronous_commit = 'on';
    SET tcp_keepalives_idle = 30;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 3
"""
"""Time-outs, because a call blocks the daemon; a commit is on the disk before its effects go out; the server
notices within a minute that a daemon's machine is gone, and frees its lock."""

_TRY_LOCK = "SELECT pg_try_advisory_lock(%s, hashtext(current_schema()))"
_END_OWN_SESSIONS = """
    SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
    WHERE application_name = %s AND pid <> pg_backend_pid()
"""


class PostgreSql(Backend):
    """A schema of a PostgreSQL database, version 14 or newer."""

    begin_snapshot = (
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
    )

    def __init__(self, url: sa.URL, *, password: str | None, exclusive: bool) -> None:
        """`password` is the user's; without one, PostgreSQL's own password file is looked at."""
        self.place = url.render_as_string(hide_password=True)
        self._exclusive = exclusive
        self._name = f"deltaml-{secrets.token_hex(8)}"
        self._connected = False
        self.engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg", password=password),
            pool_size=1,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 3,
                "tcp_user_timeout": 10_000,
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "application_name": self._name,
            },
            hide_parameters=True,
        )
        self.reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        sa.event.listen(self.engine, "connect", self._prepare)

    @override
    @contextmanager
    def exclusive(self, connection: sa.Connection) -> Iterator[None]:
        """The session that has the lock already gets it again."""
        lock = sa.func.pg_try_advisory_xact_lock(_LOCK_CLASS, sa.func.hashtext(sa.func.current_schema()))
        if not connection.execute(sa.select(lock)).scalar():
            raise in_use(self.place)
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        yield

    def _prepare(self, connection: Any, _record: Any) -> None:
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(_SETTINGS)
                if self._exclusive:
                    self._take_lock(cursor)
            connection.autocommit = False
        except BaseException:
            connection.close()
            raise
        self._connected = True
        self.session += 1

    def _take_lock(self, cursor: Any) -> None:
        """At the start a predecessor that was killed may take a moment to be noticed.

        Later only a session of ours that the network cut off may be in the way: it is ended.
        """
        until = time.monotonic() + (0.0 if self._connected else _START_SECONDS)
        while True:
            cursor.execute(_END_OWN_SESSIONS, (self._name,))
            cursor.execute(_TRY_LOCK, (_LOCK_CLASS,))
            if cursor.fetchone()[0]:
                return
            if time.monotonic() > until:
                raise in_use(self.place)
            time.sleep(0.1)
