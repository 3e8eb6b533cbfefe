"""What a step writes beside its state: timers, blobs, values, facts. Each inside the step's transaction."""

import json
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from services.store.prepared_writes import change, first_row
from services.store.rows import StepWrites
from services.store.tables import blobs, facts, inbox, role_values, timers

_FIND = "find_"


def _gone(table: sa.Table, name: str) -> sa.Delete:
    """The one of a key whose column `name` is `gone`."""
    return table.delete().where(table.c.key == sa.bindparam("of"), table.c[name] == sa.bindparam("gone"))


# Made once, and without lists, which SQLAlchemy writes out each time: either costs more than what it does.
_GONE_TIMER, _NEW_TIMER = _gone(timers, "name"), timers.insert()
_GONE_BLOB, _NEW_BLOB = _gone(blobs, "digest"), blobs.insert()
_WITHDRAWN = _gone(inbox, "content").where(~inbox.c.done)
NEW_FACT = facts.insert()
_FACT_ABOUT = sa.select(facts.c.sequence).where(facts.c.key == sa.bindparam("of")).limit(1)
_GONE_VALUE = role_values.delete().where(role_values.c.name == sa.bindparam("gone"))


def _remove(connection: sa.Connection, statement: sa.Delete, key: str, gone: Collection[object]) -> None:
    if gone:
        change(connection, statement, [{"of": key, "gone": one} for one in gone])


def write_timers(connection: sa.Connection, key: str, writes: StepWrites, now: float) -> None:
    """Cancel and set a step's timers, which run from `now` on; what waits of earlier ones is forgotten."""
    _remove(connection, _GONE_TIMER, key, writes.cancelled | set(writes.timers))
    _remove(connection, _WITHDRAWN, key, writes.withdrawn)
    rows = [{"key": key, "name": name, "fire_at": now + wait} for name, wait in writes.timers.items()]
    if rows:
        change(connection, _NEW_TIMER, rows)


def write_blobs(connection: sa.Connection, key: str, writes: StepWrites) -> None:
    """Keep what a step made and its state refers to; forget what it refers to no more."""
    _remove(connection, _GONE_BLOB, key, writes.known - writes.references)
    rows = [
        {"key": key, "digest": digest, "content": content}
        for digest, content in writes.blobs.items()
        if digest in writes.references - writes.known
    ]
    if rows:
        change(connection, _NEW_BLOB, rows)


def write_values(connection: sa.Connection, values: Mapping[str, bytes | None]) -> None:
    """Values of the daemon itself; None forgets one."""
    for name, content in values.items():
        if content is None:
            change(connection, _GONE_VALUE, [{"gone": name}])
        else:
            put(connection, role_values, {"name": name}, {"content": content})


def add_facts(
    connection: sa.Connection, key: str, items: Iterable[tuple[str, Mapping[str, Any]]], now: float
) -> None:
    """(name, data) of facts about `key`."""
    rows = [{"key": key, "name": name, "data": json.dumps(dict(data)), "at": now} for name, data in items]
    if rows:
        change(connection, NEW_FACT, rows)


def add_answer(
    connection: sa.Connection, answer: tuple[str, tuple[str, Mapping[str, Any]]] | None, now: float
) -> None:
    """The first fact about the key that stands before it; one that is there already stays the only one.

    So an order that somebody sends again and again takes no more room than once.
    """
    if answer is None:
        return
    key, fact = answer
    if first_row(connection, _FACT_ABOUT, {"of": key}) is None:
        add_facts(connection, key, [fact], now)


def put(connection: sa.Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    """Update the row with this key, or make it."""
    parameters = {f"{_FIND}{name}": value for name, value in key.items()}
    if change(connection, _row(table, *key), [parameters | values]) == 0:
        change(connection, _new_row(table), [key | values])


@cache
def _row(table: sa.Table, *key: str) -> sa.Update:
    """An update of what the parameters name; made anew for each row, it would cost more than what it does."""
    return table.update().where(*(table.c[name] == sa.bindparam(f"{_FIND}{name}") for name in key))


@cache
def _new_row(table: sa.Table) -> sa.Insert:
    return table.insert()
