"""Whether a store holds together: its file, its schema, and that every row means something."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from eth_hash.auto import keccak

from protocol.bought_model import BoughtModel
from protocol.codec import unpack
from protocol.errors import ProtocolViolation
from protocol.roles.dispatch import ROLES, decode_state, early_references
from protocol.roles.engine.state import references
from protocol.types import FrozenModel
from services.chain.events.event_outbox import StreamedEvent
from services.common.errors import StoreDamaged
from services.runtime.effects import PendingCall, PendingLetter, PendingMessage
from services.runtime.input_codec import unqueued
from services.store.database import Database
from services.store.tables import blobs, inbox, instances, outbox, results, timers

_EFFECTS: dict[str, type[Any]] = {
    "message": PendingMessage,
    "call": PendingCall,
    "letter": PendingLetter,
    "event": StreamedEvent,
}
_ROWS = 200


@dataclass(frozen=True, slots=True)
class Damage:
    """One finding: what is wrong, in which row."""

    code: str
    place: str


def check(database: Database, role: str | None = None) -> list[Damage]:
    """Everything that is wrong with a store; `role` is its daemon's, any role's states are taken without.

    It may be in use: what is looked at is one moment of it.
    """
    try:
        with database.snapshot() as connection:
            return [
                *_file(connection),
                *_instances(connection, (role,) if role else tuple(ROLES)),
                *_belonging(connection),
                *_readable(connection),
            ]
    except StoreDamaged:
        return [Damage("unreadable", database.place)]


def _file(connection: sa.Connection) -> Iterator[Damage]:
    if connection.dialect.name == "sqlite":
        for row in connection.exec_driver_sql("PRAGMA integrity_check"):
            if row[0] != "ok":
                yield Damage("file_damaged", str(row[0])[:200])


def _instances(connection: sa.Connection, roles: tuple[str, ...]) -> Iterator[Damage]:
    """Every state is readable, and what it refers to is there, unchanged, and all that is there."""
    for row in _rows(connection, sa.select(instances).where(instances.c.closed.is_(None))):
        place = f"instances/{row.key}"
        state = read_state(row.state, roles)
        if state is None:
            yield Damage("state_unreadable", place)
            continue
        query = sa.select(blobs.c.digest, blobs.c.content).where(blobs.c.key == row.key)
        held: dict[bytes, bytes] = dict(tuple(blob) for blob in connection.execute(query))
        needed = {*references(state), *early_references(row.state)}
        for digest in sorted(needed - held.keys()):
            yield Damage("blob_missing", f"{place}/{digest.hex()}")
        for digest, content in held.items():
            if keccak(content) != digest:
                yield Damage("blob_changed", f"blobs/{row.key}/{digest.hex()}")
            if digest not in needed:
                yield Damage("blob_unused", f"blobs/{row.key}/{digest.hex()}")


def read_state(content: bytes, roles: tuple[str, ...]) -> FrozenModel | None:
    """The state, as the role that finds most of its own fields in it reads it.

    A state names its phase and not its role, and reading drops the fields that a phase does not have: so one
    role's state may be read as another's, without what it refers to.
    """
    states = [state for role in roles if (state := _read_state(role, content)) is not None]
    return max(states, key=lambda state: len(state.model_fields_set), default=None)


def _read_state(role: str, content: bytes) -> FrozenModel | None:
    try:
        early_references(content)
        return decode_state(role, content)
    except ProtocolViolation:
        return None


def _belonging(connection: sa.Connection) -> Iterator[Damage]:
    """Blobs, timers and results are of an instance that is there."""
    known = sa.select(instances.c.key)
    for table in (blobs, timers, results):
        for key in connection.scalars(sa.select(table.c.key).where(table.c.key.not_in(known)).distinct()):
            yield Damage("orphan", f"{table.name}/{key}")


def _readable(connection: sa.Connection) -> Iterator[Damage]:
    """What waits in inbox and outbox, and the results, can be read."""
    for row in _rows(connection, sa.select(inbox).where(~inbox.c.done)):
        if row.content is None or not _reads(unqueued, row.content):
            yield Damage("input_unreadable", f"inbox/{row.sequence}")
    for row in _rows(
        connection, sa.select(inbox.c.sequence).where(inbox.c.done, inbox.c.content.is_not(None))
    ):
        yield Damage("input_kept", f"inbox/{row.sequence}")
    for row in _rows(connection, sa.select(outbox)):
        kind = _EFFECTS.get(row.kind)
        if kind is None or not _reads(unpack, kind, row.content):
            yield Damage("effect_unreadable", f"outbox/{row.sequence}")
    for row in _rows(connection, sa.select(results).where(results.c.name == "model")):
        if not _reads(unpack, BoughtModel, row.content):
            yield Damage("result_unreadable", f"results/{row.key}/{row.name}")


def _rows(connection: sa.Connection, query: Any) -> Iterator[Any]:
    """Some at a time: a store may be larger than the memory."""
    yield from connection.execute(query.execution_options(yield_per=_ROWS))


def _reads(read: Callable[..., Any], *values: Any) -> bool:
    try:
        read(*values)
    except ProtocolViolation:
        return False
    return True
