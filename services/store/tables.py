"""The tables of a role's database."""

import time
from typing import Any

import sqlalchemy as sa

SCHEMA_VERSION = 3

BACKUP_MARK = "this-is-a-backup"
"""The name of a role value that only backups have."""

metadata = sa.MetaData()

Sequence = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite's own row numbers are 64 bits wide, and only under this name."""


def _where(condition: sa.ColumnElement[bool]) -> dict[str, Any]:
    """Of an index on some rows alone."""
    return {"sqlite_where": condition, "postgresql_where": condition}


schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, nullable=False))
"""One row. A program that finds another number than its own leaves the store alone."""

instances = sa.Table(
    "instances",
    metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("training", sa.BigInteger, index=True),
    sa.Column("state", sa.LargeBinary, nullable=False),
    sa.Column("shown", sa.String(100), nullable=False),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
    sa.Column("closed", sa.String(20)),
    sa.Index("instances_ended", "finished", "updated_at"),
)
"""One row per training; before the contract has numbered it, `training` is null.

`closed` tells why no input changes it any more: `archived` long after its end, or `restored` from a backup
while it ran. Nothing but the row, its facts and its results need be there then.
"""

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True, autoincrement=True),
    sa.Column("input_id", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("key", sa.String(100), nullable=False),
    sa.Column("content", sa.LargeBinary),
    sa.Column("training", sa.BigInteger, index=True),
    sa.Column("done", sa.Boolean, nullable=False, default=False),
    sa.Column("digest", sa.LargeBinary(32)),
    sa.Column("arrived_at", sa.Float, nullable=False, default=time.time),
    sqlite_autoincrement=True,
)
"""Inputs in the order they came; what is done keeps its id, so that a second delivery is recognised.

A contract event names its training: the next event must find the instance before its first step is done.
`digest` is of a message's content: the same id with another content is not a repetition.
"""

sa.Index("inbox_waiting", inbox.c.key, inbox.c.sequence, **_where(~inbox.c.done))
sa.Index("inbox_done", inbox.c.key, inbox.c.arrived_at, **_where(inbox.c.done))

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(100), nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("next_at", sa.Float, nullable=False, index=True),
    sa.Column("added_at", sa.Float, nullable=False, default=time.time),
    sa.Column("unroutable_since", sa.Float),
    sqlite_autoincrement=True,
)
"""Effects that have not taken place yet. Their numbers are not used again: a refused call is known by its."""

timers = sa.Table(
    "timers",
    metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("fire_at", sa.Float, nullable=False, index=True),
)

blobs = sa.Table(
    "blobs",
    metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""Ciphertexts by digest, as long as the instance's state refers to them."""

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(100), nullable=False, index=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sqlite_autoincrement=True,
)
"""What people may see of a training."""

results = sa.Table(
    "results",
    metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""What the daemon's operator alone may see, such as a bought model."""

role_values = sa.Table(
    "role_values",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""What belongs to the daemon and to no training."""
