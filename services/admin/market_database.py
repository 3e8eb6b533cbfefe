"""A PostgreSQL for a market: each daemon's own user and database, which no other may enter."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from services.common.errors import ConfigurationError
from services.common.files import read_passphrase
from services.common.urls import is_url

_CONNECT_SECONDS = 10


def check_server_url(url: str) -> None:
    """Raise ConfigurationError unless `url` names an administrator at a server, and nothing else."""
    if not is_url(url, ("postgresql",)) or not (parts := urlsplit(url)).username or parts.path.strip("/"):
        raise ConfigurationError("--postgresql must be a URL like postgresql://administrator@host:5432")
    if parts.password is not None:
        raise ConfigurationError("--postgresql holds a password; put it into --postgresql-password-file")


def store_url(server: str, database: str) -> str:
    """The URL of a daemon's store: its user is called like its database."""
    parts = urlsplit(server)
    place = parts.netloc.rpartition("@")[2]
    return f"postgresql://{database}@{place}/{database}"


def provide_databases(server: str, password_file: Path, wanted: Iterable[tuple[str, Path]]) -> int:
    """Make a user and a database for each (name, password file); tells how many databases are new.

    A user that is there gets the password in its file, so a changed file is a changed password.
    Raises ConfigurationError when the server refuses.
    """
    try:
        with psycopg.connect(
            f"{server}/postgres",
            password=read_passphrase(password_file),
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
        ) as connection:
            return sum(_provide(connection, name, file) for name, file in wanted)
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigurationError(f"PostgreSQL at {urlsplit(server).hostname}: {reason}") from None


def _provide(connection: "psycopg.Connection[tuple[str]]", name: str, password_file: Path) -> bool:
    # Encrypted here: a statement with the password itself could end in the server's log.
    encrypted = connection.pgconn.encrypt_password(
        read_passphrase(password_file).encode(), name.encode(), b"scram-sha-256"
    ).decode()
    user = sql.Identifier(name)
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, user, sql.Literal(encrypted)))
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return False
    # PostgreSQL 16 lets an administrator who is not a superuser give a database to members of the role alone.
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(user))
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(user, user))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(user))
    return True
