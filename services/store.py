"""A role's durable state: instances, inbox, outbox, timers, blobs, facts and results, by SQLAlchemy Core.

SQLite by default (write-ahead log, full synchronisation); one writer, this process. A step is one
transaction: new state, effects, timers and the input's mark appear together or not at all.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

SCHEMA_VERSION = 1

_metadata = sa.MetaData()
_schema = sa.Table("schema_version", _metadata, sa.Column("version", sa.Integer, nullable=False))
_instances = sa.Table(
    "instances",
    _metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("training", sa.BigInteger, index=True),
    sa.Column("state", sa.LargeBinary, nullable=False),
    sa.Column("shown", sa.String(100), nullable=False),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
)
_inbox = sa.Table(
    "inbox",
    _metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("input_id", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("key", sa.String(100), nullable=False, index=True),
    sa.Column("content", sa.LargeBinary),
    sa.Column("done", sa.Boolean, nullable=False, default=False),
)
_outbox = sa.Table(
    "outbox",
    _metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(100), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("content", sa.LargeBinary),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("next_at", sa.Float, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False, default=False, index=True),
)
_timers = sa.Table(
    "timers",
    _metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("fire_at", sa.Float, nullable=False, index=True),
)
_blobs = sa.Table(
    "blobs",
    _metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
_facts = sa.Table(
    "facts",
    _metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(100), nullable=False, index=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
_results = sa.Table(
    "results",
    _metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
_values = sa.Table(
    "role_values",
    _metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class QueuedInput:
    """An input waiting for its instance."""

    sequence: int
    key: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class QueuedEffect:
    """A message or a call waiting to be carried out."""

    sequence: int
    key: str
    kind: str
    content: bytes = field(repr=False)
    attempts: int


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One training as this role knows it."""

    key: str
    training: int | None
    state: bytes = field(repr=False)
    shown: str
    finished: bool
    updated_at: float


@dataclass(slots=True)
class StepWrites:
    """Everything one step writes."""

    training: int | None
    state: bytes
    shown: str
    finished: bool
    references: frozenset[bytes]
    effects: list[tuple[str, bytes]] = field(default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    blobs: dict[bytes, bytes] = field(default_factory=dict)
    facts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    results: dict[str, bytes] = field(default_factory=dict)


class Store:
    """One role's database."""

    def __init__(self, url: str = "sqlite://") -> None:
        """Open or create; `sqlite://` is in memory, a path is made readable by its owner alone."""
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            path = Path(parsed.database)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        options: dict[str, Any] = {}
        if parsed.get_backend_name() == "sqlite":
            options = {"poolclass": sa.StaticPool, "connect_args": {"check_same_thread": False}}
        self._engine = sa.create_engine(parsed, **options)
        if parsed.get_backend_name() == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_immediate)
        _metadata.create_all(self._engine)
        with self._engine.begin() as connection:
            if connection.execute(sa.select(_schema)).first() is None:
                connection.execute(_schema.insert().values(version=SCHEMA_VERSION))

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    # ---- inbox ----

    def add_inputs(self, inputs: Iterable[tuple[bytes, str, bytes]]) -> int:
        """Insert (input id, key, content) rows; those seen before are dropped. Returns how many were new."""
        new = 0
        with self._engine.begin() as connection:
            for input_id, key, content in inputs:
                known = sa.select(_inbox.c.sequence).where(_inbox.c.input_id == input_id)
                if connection.execute(known).first() is None:
                    connection.execute(_inbox.insert().values(input_id=input_id, key=key, content=content))
                    new += 1
        return new

    def waiting_keys(self) -> list[str]:
        """Instances with inputs to process."""
        query = sa.select(_inbox.c.key).where(~_inbox.c.done).distinct()
        with self._engine.connect() as connection:
            return [row.key for row in connection.execute(query)]

    def next_input(self, key: str) -> QueuedInput | None:
        """The oldest input of an instance."""
        query = (
            sa.select(_inbox.c.sequence, _inbox.c.content)
            .where(_inbox.c.key == key, ~_inbox.c.done)
            .order_by(_inbox.c.sequence)
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else QueuedInput(row.sequence, key, row.content)

    def finish_input(
        self,
        item: QueuedInput,
        now: float,
        *,
        effects: Iterable[tuple[str, bytes]] = (),
        values: Mapping[str, bytes] | None = None,
        facts: Iterable[tuple[str, Mapping[str, Any]]] = (),
    ) -> None:
        """Mark an input done that changed no instance, with what it leads to, in one transaction."""
        with self._engine.begin() as connection:
            self._add_effects(connection, item.key, effects, now)
            for name, content in (values or {}).items():
                _put(connection, _values, {"name": name}, {"content": content})
            self._add_facts(connection, item.key, facts, now)
            self._input_done(connection, item)

    # ---- instances ----

    def instance(self, key: str) -> InstanceRow | None:
        """The instance by key."""
        query = sa.select(_instances).where(_instances.c.key == key)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else _instance(row)

    def instances(self) -> list[InstanceRow]:
        """All of them, oldest change first."""
        query = sa.select(_instances).order_by(_instances.c.updated_at)
        with self._engine.connect() as connection:
            return [_instance(row) for row in connection.execute(query)]

    def key_of(self, training: int) -> str | None:
        """The key of the instance that became this training."""
        query = sa.select(_instances.c.key).where(_instances.c.training == training)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else row.key

    def blobs(self, key: str) -> dict[bytes, bytes]:
        """Everything an instance refers to."""
        query = sa.select(_blobs.c.digest, _blobs.c.content).where(_blobs.c.key == key)
        with self._engine.connect() as connection:
            return {row.digest: row.content for row in connection.execute(query)}

    def write_step(self, item: QueuedInput, writes: StepWrites, now: float) -> None:
        """One step's outcome, in one transaction."""
        key = item.key
        with self._engine.begin() as connection:
            values = {
                "training": writes.training,
                "state": writes.state,
                "shown": writes.shown,
                "finished": writes.finished,
                "updated_at": now,
            }
            updated = connection.execute(_instances.update().where(_instances.c.key == key).values(values))
            if updated.rowcount == 0:
                connection.execute(_instances.insert().values(key=key, **values))
            self._add_effects(connection, key, writes.effects, now)
            self._write_timers(connection, key, writes, now)
            self._write_blobs(connection, key, writes)
            self._add_facts(connection, key, writes.facts, now)
            for name, content in writes.results.items():
                _put(connection, _results, {"key": key, "name": name}, {"content": content})
            self._input_done(connection, item)

    def _write_timers(self, connection: sa.Connection, key: str, writes: StepWrites, now: float) -> None:
        for name in writes.cancelled | set(writes.timers):
            connection.execute(_timers.delete().where(_timers.c.key == key, _timers.c.name == name))
        for name, seconds in writes.timers.items():
            connection.execute(_timers.insert().values(key=key, name=name, fire_at=now + seconds))

    def _write_blobs(self, connection: sa.Connection, key: str, writes: StepWrites) -> None:
        present = {
            row.digest for row in connection.execute(sa.select(_blobs.c.digest).where(_blobs.c.key == key))
        }
        for digest in present - writes.references:
            connection.execute(_blobs.delete().where(_blobs.c.key == key, _blobs.c.digest == digest))
        for digest, content in writes.blobs.items():
            if digest in writes.references and digest not in present:
                connection.execute(_blobs.insert().values(key=key, digest=digest, content=content))

    def _input_done(self, connection: sa.Connection, item: QueuedInput) -> None:
        done = _inbox.update().where(_inbox.c.sequence == item.sequence)
        connection.execute(done.values(done=True, content=None))

    def _add_effects(
        self, connection: sa.Connection, key: str, effects: Iterable[tuple[str, bytes]], now: float
    ) -> None:
        for kind, content in effects:
            connection.execute(_outbox.insert().values(key=key, kind=kind, content=content, next_at=now))

    def _add_facts(
        self, connection: sa.Connection, key: str, facts: Iterable[tuple[str, Mapping[str, Any]]], now: float
    ) -> None:
        for name, data in facts:
            connection.execute(
                _facts.insert().values(key=key, name=name, data=json.dumps(dict(data)), at=now)
            )

    # ---- outbox and timers ----

    def add_effects(self, key: str, effects: Iterable[tuple[str, bytes]], now: float) -> None:
        """Effects that no step asked for, such as an announcement at start."""
        with self._engine.begin() as connection:
            self._add_effects(connection, key, effects, now)

    def effect_to_input(self, effect: QueuedEffect, input_id: bytes, content: bytes) -> None:
        """Turn an effect that was refused for good into an input, both or neither."""
        with self._engine.begin() as connection:
            done = _outbox.update().where(_outbox.c.sequence == effect.sequence)
            connection.execute(done.values(done=True, content=None))
            connection.execute(_inbox.insert().values(input_id=input_id, key=effect.key, content=content))

    def waiting_effects(self) -> int:
        """How many effects have not taken place yet."""
        query = sa.select(sa.func.count()).select_from(_outbox).where(~_outbox.c.done)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def due_effects(self, now: float, kind: str, limit: int = 100) -> list[QueuedEffect]:
        """Effects of a kind whose time has come, in order."""
        query = (
            sa.select(_outbox)
            .where(~_outbox.c.done, _outbox.c.kind == kind, _outbox.c.next_at <= now)
            .order_by(_outbox.c.sequence)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [QueuedEffect(row.sequence, row.key, row.kind, row.content, row.attempts) for row in rows]

    def effect_done(self, effect: QueuedEffect) -> None:
        """Forget an effect that took place."""
        with self._engine.begin() as connection:
            done = _outbox.update().where(_outbox.c.sequence == effect.sequence)
            connection.execute(done.values(done=True, content=None))

    def effect_failed(self, effect: QueuedEffect, next_at: float) -> None:
        """Try again later."""
        with self._engine.begin() as connection:
            again = _outbox.update().where(_outbox.c.sequence == effect.sequence)
            connection.execute(again.values(attempts=effect.attempts + 1, next_at=next_at))

    def next_effect_at(self, exclude: tuple[int, ...] = ()) -> float | None:
        """When the next waiting effect is due, those in hand excluded."""
        waiting = (~_outbox.c.done, _outbox.c.sequence.not_in(exclude))
        query = sa.select(sa.func.min(_outbox.c.next_at)).where(*waiting)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def due_timers(self, now: float) -> list[tuple[str, str, float]]:
        """(key, name, fire_at) of timers that have run out."""
        query = sa.select(_timers).where(_timers.c.fire_at <= now)
        with self._engine.connect() as connection:
            return [(row.key, row.name, row.fire_at) for row in connection.execute(query)]

    def timer_to_input(self, key: str, name: str, input_id: bytes, content: bytes) -> None:
        """Turn a timer that ran out into an input, both or neither."""
        with self._engine.begin() as connection:
            gone = connection.execute(_timers.delete().where(_timers.c.key == key, _timers.c.name == name))
            if gone.rowcount:
                connection.execute(_inbox.insert().values(input_id=input_id, key=key, content=content))

    def next_timer_at(self) -> float | None:
        """When the next timer runs out."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(sa.func.min(_timers.c.fire_at))).scalar()

    # ---- for people and adapters ----

    def facts(self, key: str) -> list[tuple[str, dict[str, Any], float]]:
        """(name, data, at) in order."""
        query = sa.select(_facts).where(_facts.c.key == key).order_by(_facts.c.sequence)
        with self._engine.connect() as connection:
            return [(row.name, json.loads(row.data), row.at) for row in connection.execute(query)]

    def result(self, key: str, name: str) -> bytes | None:
        """A private result, such as the bought model."""
        query = sa.select(_results.c.content).where(_results.c.key == key, _results.c.name == name)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def put_value(self, name: str, content: bytes) -> None:
        """Remember something of the role's own, such as an announced owner."""
        with self._engine.begin() as connection:
            _put(connection, _values, {"name": name}, {"content": content})

    def remove_value(self, name: str) -> None:
        """Forget it."""
        with self._engine.begin() as connection:
            connection.execute(_values.delete().where(_values.c.name == name))

    def values(self, prefix: str) -> dict[str, bytes]:
        """What is remembered under names with this prefix, the prefix cut off."""
        query = sa.select(_values).where(_values.c.name.startswith(prefix, autoescape=True))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_values.c.name)).all()
        return {row.name.removeprefix(prefix): row.content for row in rows}


def _put(connection: sa.Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    where = [table.c[name] == value for name, value in key.items()]
    if connection.execute(table.update().where(*where).values(values)).rowcount == 0:
        connection.execute(table.insert().values(**key, **values))


def _instance(row: Any) -> InstanceRow:
    return InstanceRow(row.key, row.training, row.state, row.shown, row.finished, row.updated_at)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def opened(url: str) -> Any:
    """A store for the length of a block."""
    store = Store(url)
    try:
        yield store
    finally:
        store.close()
