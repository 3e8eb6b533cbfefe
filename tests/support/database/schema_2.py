"""A store as schema 2 left it: the frozen first migration, without any trace of Alembic."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from services.store.database import Database
from services.store.schema import MIGRATIONS
from services.store.tables import metadata


def make_schema_2(url: str) -> None:
    """The tables of schema 2 in an empty database."""
    database = Database(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "2")
        connection.exec_driver_sql("DROP TABLE alembic_version")  # the program of then knew nothing of it
    database.close()


def taken_back(path: Path) -> None:
    """Replace today's SQLite store by one of schema 2 with the same rows."""
    old = path.with_suffix(".schema-2")
    make_schema_2(f"sqlite:///{old}")
    source, target = Database(f"sqlite:///{path}"), Database(f"sqlite:///{old}")
    with source.reading() as reading, target.writing() as writing:
        for name in metadata.tables:
            if name == "schema_version":
                continue
            table = sa.Table(name, sa.MetaData(), autoload_with=writing)
            columns = [column.name for column in table.columns]
            rows = reading.execute(sa.select(*(metadata.tables[name].c[one] for one in columns)))
            found = [dict(zip(columns, row, strict=True)) for row in rows]
            if found:
                writing.execute(table.insert(), found)
    source.close()
    target.close()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    old.replace(path)
