"""Steps to write into a store, and faults at each of its statements."""

from collections.abc import Callable
from itertools import count
from typing import Any

import sqlalchemy as sa

from services.store import QueuedInput, StepWrites, Store
from services.store.prepared_writes import PREPARED, OnDriver
from services.store.tables import metadata

FIRST, SECOND = b"1" * 32, b"2" * 32


class Stopped(Exception):  # noqa: N818
    """What the fault injection raises."""


def offered(store: Store, input_id: bytes = FIRST, key: str = "1", content: bytes = b"input") -> QueuedInput:
    """The next input of `key` once this one was added."""
    store.add_inputs([(input_id, key, content)])
    item = store.next_input(key)
    assert item is not None
    return item


def writes(**changes: Any) -> StepWrites:
    """A step that writes a state, with these changes."""
    values: dict[str, Any] = {
        "training": 1,
        "state": b"state",
        "display_status": "IN_PROGRESS",
        "finished": False,
        "references": frozenset(),
    }
    return StepWrites(**{**values, **changes})


def full_writes(label: bytes = b"a") -> StepWrites:
    """A step that writes to every table."""
    return writes(
        state=label,
        references=frozenset({label * 32}),
        effects=[("message", label), ("call", label)],
        timers={"stalled": 5.0},
        cancelled={"join"},
        blobs={label * 32: label},
        facts=[("round_recorded", {"round": 1})],
        results={"model": label},
        values={"joined:1": label},
    )


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    with store._database.reading() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for name, table in metadata.tables.items()
        }


def failing_at(store: Store, statement: int) -> Callable[[], None]:
    """Make the store's n-th statement fail from now on; returns what ends that."""
    numbers = count(1)

    def fail(*_arguments: Any) -> None:
        if next(numbers) == statement:
            raise Stopped

    engine = store._database.engine
    sa.event.listen(engine, "before_cursor_execute", fail)
    with store._database.reading() as connection:
        info, prepared = connection.info, connection.info.get(PREPARED)
    if prepared is not None:
        info[PREPARED] = _Failing(prepared, fail)

    def heal() -> None:
        sa.event.remove(engine, "before_cursor_execute", fail)
        if prepared is not None:
            info[PREPARED] = prepared

    return heal


class _Failing:
    """What is prepared on a connection, with `fail` called before each statement as SQLAlchemy calls it."""

    def __init__(self, prepared: OnDriver, fail: Callable[..., None]) -> None:
        self._prepared, self._fail = prepared, fail

    def change(self, *arguments: Any) -> int:
        self._fail()
        return self._prepared.change(*arguments)

    def first(self, *arguments: Any) -> Any:
        self._fail()
        return self._prepared.first(*arguments)


def attempts(store: Store, work: Callable[[], None]) -> int:
    """Run `work` with a fault at its first statement, its second ...; until there is none left to fail."""
    faults = 0
    while True:
        before = everything(store)
        heal = failing_at(store, faults + 1)
        try:
            work()
        except Stopped:
            assert everything(store) == before
        else:
            return faults
        finally:
            heal()
        faults += 1
