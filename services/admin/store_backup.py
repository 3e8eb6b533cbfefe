"""Backups: everything that a store holds at one moment as an SQLite file, from either database into either.

A backup says that it is one, and no daemon opens it: whoever goes on from an old state could answer a
question again that it has answered since, with other randomness, and two answers tell what one must not.
"""

import json
import shutil
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from protocol.roles.engine.private import BOND
from protocol.terms import NATIVE
from services.admin.store_integrity import Damage, check
from services.common.errors import ConfigurationError
from services.records.chain_facts import record_key
from services.store.database import Database
from services.store.schema import bring_up_to_date, make, version_of
from services.store.tables import BACKUP_MARK, blobs, facts, inbox, instances, metadata, role_values, timers

RESTORED = "restored"
_ROWS = 500
_NUMBERED = ("inbox", "outbox", "facts")


def backup(source: Database, file: Path) -> None:
    """Write a backup, also while the store's daemon runs; it is checked before it takes its name.

    Raises ConfigurationError when the file exists, cannot be written, or the store is damaged.
    """
    if file.exists():
        raise ConfigurationError(f"{file} exists already; choose another name for the backup")
    with _temporary(file.parent) as folder:
        made = Path(folder, "backup.sqlite")
        with closing(Database(f"sqlite:///{made}")) as target:
            with source.snapshot() as reading, target.writing() as writing:
                make(writing)
                _copy(reading, writing)
                mark = {"taken_at": time.time(), "numbers": _numbers(reading)}
                writing.execute(
                    role_values.insert().values(name=BACKUP_MARK, content=json.dumps(mark).encode())
                )
            _require_sound(check(target), source.place)
        made.replace(file)


def restore(file: Path, target: Database, *, resume: bool) -> int:
    """Fill an empty store from a backup; returns how many trainings were given up.

    With `resume`, trainings go on: only for a store whose daemon has done nothing since the backup was made.
    Without it, those that were under way are given up by this party.

    Raises ConfigurationError when the target holds something, or the file is not a sound backup.
    """
    if not file.is_file():
        raise ConfigurationError(f"there is no file {file}; check the path")
    if version_of(target) is not None:
        raise ConfigurationError(
            f"the store {target.place} exists; move it away before something is restored there"
        )
    with _temporary(file.parent) as folder:
        copied = shutil.copyfile(
            file, Path(folder, "backup.sqlite")
        )  # so that the backup itself stays as it is
        with closing(Database(f"sqlite:///{copied}", existing=True)) as source:
            bring_up_to_date(source)
            _require_sound(check(source), str(file))
            with source.snapshot() as reading, target.exclusive() as writing:
                mark = _mark(reading, file)
                make(writing)
                _copy(reading, writing)
                _continue_numbers(writing, mark["numbers"])
                writing.execute(role_values.delete().where(role_values.c.name == BACKUP_MARK))
                return 0 if resume else _give_up(writing)


def _mark(connection: sa.Connection, file: Path) -> dict[str, Any]:
    """What a backup says of itself."""
    query = sa.select(role_values.c.content).where(role_values.c.name == BACKUP_MARK)
    mark = connection.execute(query).scalar()
    if mark is None:
        raise ConfigurationError(f"{file} is a store, not a backup: `deltaml admin store backup` makes one")
    values: dict[str, Any] = json.loads(mark)
    return values


def _give_up(connection: sa.Connection) -> int:
    """Nothing more is said in trainings that were under way, and no order that waited is carried out."""
    running = sa.select(instances.c.key).where(~instances.c.finished, instances.c.closed.is_(None))
    keys = list(connection.scalars(running))
    connection.execute(inbox.update().where(~inbox.c.done).values(done=True, content=None))
    for key in keys:
        for table in (timers, blobs):
            connection.execute(table.delete().where(table.c.key == key))
        connection.execute(facts.insert().values(key=key, name=RESTORED, data="{}", at=time.time()))
        _note_bond(connection, key)
        connection.execute(
            instances.update()
            .where(instances.c.key == key)
            .values(closed=RESTORED, finished=True, shown=f"FAILED({RESTORED})")
        )
    return len(keys)


def _note_bond(connection: sa.Connection, key: str) -> None:
    """Have the daemon release the bond of a training that is given up, if the contract has one.

    It may have been deposited after the backup, and no input that would tell of it is taken any more.
    """
    training = connection.scalar(sa.select(instances.c.training).where(instances.c.key == key))
    if training is None:
        return
    told = sa.select(facts.c.data).where(facts.c.key == record_key(training), facts.c.name == "Opened")
    opened = json.loads(connection.scalar(told) or "{}")
    name = BOND.name_of(training)
    connection.execute(role_values.delete().where(role_values.c.name == name))
    token = str(opened.get("token", NATIVE))
    connection.execute(role_values.insert().values(name=name, content=token.encode()))


def _copy(reading: sa.Connection, writing: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        if table.name == "schema_version":
            continue
        rows = reading.execute(sa.select(table).execution_options(yield_per=_ROWS))
        for part in rows.mappings().partitions():
            writing.execute(table.insert(), [dict(row) for row in part])


def _numbers(connection: sa.Connection) -> dict[str, int]:
    """The last sequence number that each table has used: those of rows that are gone count too."""
    if connection.dialect.name == "sqlite":
        sequences = connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence").all()
        return {name: int(last) for name, last in sequences if name in _NUMBERED}
    query = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}_sequence_seq"
    return {name: int(connection.exec_driver_sql(query.format(name)).scalar_one()) for name in _NUMBERED}


def _continue_numbers(connection: sa.Connection, numbers: dict[str, int]) -> None:
    for name, last in numbers.items():
        if name not in _NUMBERED or last < 1:
            continue
        values = {"name": name, "last": int(last)}
        if connection.dialect.name == "sqlite":
            connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
            connection.execute(
                sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values
            )
        else:
            connection.execute(sa.text(f"SELECT setval('{name}_sequence_seq', :last)"), values)


def _require_sound(damage: list[Damage], place: str) -> None:
    if damage:
        first = damage[0]
        raise ConfigurationError(
            f"{place} is damaged ({len(damage)} findings; {first.code} at {first.place}): see `deltaml admin "
            "store check`"
        )


def _temporary(parent: Path) -> TemporaryDirectory[str]:
    """A private folder beside the file, on the same disk."""
    try:
        return TemporaryDirectory(dir=parent, prefix=".deltaml-backup-", ignore_cleanup_errors=True)
    except OSError as error:
        raise ConfigurationError(f"cannot write to {parent}: {error.strerror}") from None
