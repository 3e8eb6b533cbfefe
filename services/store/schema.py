"""Which schema a database has, and how it gets today's: made anew, or by Alembic's migrations.

Everything happens in one transaction, while no other process works on the store: a crash leaves what was.
"""

import itertools
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from services.common.errors import ConfigurationError
from services.store.database import Database
from services.store.tables import BACKUP_MARK, SCHEMA_VERSION, metadata, role_values, schema_version

FIRST_VERSION = 2
"""The oldest schema that can be upgraded."""

MIGRATIONS = Path(__file__).parent / "migrations"

_revisions = sa.Table(
    "alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True)
)


def version_of(database: Database) -> int | None:
    """The schema's version, or None for a database without one."""
    with database.reading() as connection:
        return _version(connection)


def require_current(database: Database) -> None:
    """Raise ConfigurationError unless the store has this program's schema."""
    version = version_of(database)
    if version is None:
        raise ConfigurationError(f"{database.place} is not a daemon's store; start the daemon first")
    _require_readable(database, version)
    if version < SCHEMA_VERSION:
        raise ConfigurationError(
            f"the store {database.place} has schema version {version}, this program's is {SCHEMA_VERSION}: "
            "back it up, then start its daemon or run `deltaml admin store upgrade`"
        )


def require_no_backup(database: Database) -> None:
    """Raise ConfigurationError for a backup that somebody put into a store's place."""
    if database.row(sa.select(role_values.c.name).where(role_values.c.name == BACKUP_MARK)) is not None:
        raise ConfigurationError(
            f"{database.place} is a backup, and whoever goes on from an old state could answer a question "
            "twice: run `deltaml admin store restore`, which leaves it as it is"
        )


def bring_up_to_date(database: Database) -> tuple[int | None, int]:
    """Make or upgrade the schema; returns the version before (None if there was none) and after.

    Raises ConfigurationError for a store of a newer version, or one too old; StoreInUse when it has to be
    changed and another process works on it.
    """
    version = version_of(database)
    if version == SCHEMA_VERSION:
        return version, version
    with database.exclusive() as connection:
        version = _version(connection)
        if version is None:
            make(connection)
            return None, SCHEMA_VERSION
        _require_readable(database, version)
        if version < SCHEMA_VERSION:
            _migrate(connection, version)
    return version, SCHEMA_VERSION


def _version(connection: sa.Connection) -> int | None:
    if not sa.inspect(connection).has_table(schema_version.name):
        return None
    version: int | None = connection.execute(sa.select(schema_version.c.version)).scalar()
    return version


def _require_readable(database: Database, version: int) -> None:
    if version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"the store {database.place} has schema version {version}, from a newer DeltaML; this program "
            f"reads up to version {SCHEMA_VERSION}, and a store cannot be taken back: install the newer "
            "program again, or restore a backup from before the upgrade"
        )
    if version < FIRST_VERSION:
        raise ConfigurationError(
            f"the store {database.place} has schema version {version}; this program upgrades from version "
            f"{FIRST_VERSION} on: finish its trainings with the program that made it"
        )


def make(connection: sa.Connection) -> None:
    """Today's tables in an empty database."""
    for statement in _creation(connection.dialect.name):
        connection.exec_driver_sql(statement)


@cache
def _creation(kind: str) -> tuple[str, ...]:
    """What makes today's tables on a database of this kind, and says which schema they are.

    Written once a process: of what a store in memory costs, writing it was the greater part.
    """
    dialect = sa.make_url(f"{kind}://").get_dialect()()
    tables = (*metadata.sorted_tables, _revisions)
    made: list[ExecutableDDLElement] = [
        *map(CreateTable, tables),
        *map(CreateIndex, itertools.chain(*map(_indexes, tables))),
    ]
    versions = (
        schema_version.insert().values(version=SCHEMA_VERSION),
        _revisions.insert().values(version_num=str(SCHEMA_VERSION)),
    )
    written = {"literal_binds": True}
    return (
        *(str(one.compile(dialect=dialect)) for one in made),
        *(str(one.compile(dialect=dialect, compile_kwargs=written)) for one in versions),
    )


def _indexes(table: sa.Table) -> list[sa.Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))


def _migrate(connection: sa.Connection, version: int) -> None:
    from alembic import command  # noqa: PLC0415  slow to import, and seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if not sa.inspect(connection).has_table(_revisions.name):
        command.stamp(config, str(version))  # schema 2 knew nothing of Alembic
    command.upgrade(config, str(SCHEMA_VERSION))
