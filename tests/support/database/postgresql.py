"""PostgreSQL for tests: a database named by the environment, or a private cluster of the distribution."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.support.database.private_postgresql import private_cluster
from tests.support.shared import shared


@contextmanager
def shared_database(folder: Path) -> Iterator[str]:
    """The URL of one database for all processes of a test run, which share `folder`."""

    @contextmanager
    def start() -> Iterator[dict[str, object]]:
        named = os.environ.get("DELTAML_POSTGRES_URL")
        if named:
            yield {"url": named}
            return
        with private_cluster() as cluster:
            yield {"url": cluster.url}

    with shared(folder, "postgresql", start) as description:
        yield description["url"]


@contextmanager
def fresh_schema(url: str) -> Iterator[str]:
    """The URL of an empty schema of its own in the database."""
    name = f"deltaml_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    try:
        yield in_schema(url, name)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


def in_schema(url: str, name: str) -> str:
    """The URL with another schema than `public`."""
    return f"{url}{'&' if urlsplit(url).query else '?'}options=-csearch_path%3D{name}"
