"""Inbox, outbox and timers: what waits to be done."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from services.store.database import Database
from services.store.prepared_writes import change
from services.store.rows import NewMessage, QueuedEffect, QueuedInput
from services.store.tables import inbox, outbox, timers

_NEXT_INPUT = (
    sa.select(inbox.c.sequence, inbox.c.content)
    .where(inbox.c.key == sa.bindparam("of"), ~inbox.c.done)
    .order_by(inbox.c.sequence)
    .limit(1)
)
_INPUT_DONE = (
    inbox.update()
    .where(inbox.c.sequence == sa.bindparam("which"), ~inbox.c.done)
    .values(done=True, content=None)
)
_WAITING_INPUTS = sa.select(sa.func.count()).select_from(inbox).where(~inbox.c.done)
_WAITING_BYTES = sa.select(sa.func.sum(sa.func.length(inbox.c.content))).where(~inbox.c.done)
_WAITING_KEYS = sa.select(inbox.c.key).where(~inbox.c.done).distinct()
_WAITING_EFFECTS = sa.select(sa.func.count()).select_from(outbox)
_NEW_EFFECT = outbox.insert()
# Beside each statement one for when effects are in hand: a list, even an empty one, is written out each time.
_NOT_IN_HAND = outbox.c.sequence.not_in(sa.bindparam("in_hand", expanding=True))
_DUE_EFFECTS = (
    sa.select(*(outbox.c[part.name] for part in fields(QueuedEffect)))
    .where(outbox.c.next_at <= sa.bindparam("now"))
    .order_by(outbox.c.sequence)
    .limit(sa.bindparam("most"))
)
_OTHER_DUE_EFFECTS = _DUE_EFFECTS.where(_NOT_IN_HAND)
_EFFECT_DONE = outbox.delete().where(outbox.c.sequence == sa.bindparam("which"))
_NEXT_EFFECT_AT = sa.select(sa.func.min(outbox.c.next_at))
_NEXT_OTHER_EFFECT_AT = _NEXT_EFFECT_AT.where(_NOT_IN_HAND)
_DUE_TIMERS = sa.select(timers).where(timers.c.fire_at <= sa.bindparam("now")).order_by(timers.c.fire_at)
_NEXT_TIMER_AT = sa.select(sa.func.min(timers.c.fire_at))


class Queues:
    """The queues of one database, whose tables exist already."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._new_input = database.insert_new(inbox)

    # ---- inbox ----

    def add_inputs(self, inputs: Sequence[tuple[bytes, str, bytes]], *, training: int | None = None) -> None:
        """Insert (input id, key, content) rows; those whose id was seen before are dropped.

        `training` is the contract's number when the inputs are its events: `key_of` knows it from then on.
        """
        with self._database.writing() as connection:
            self._add_inputs(connection, inputs, training)

    def add_messages(self, messages: Sequence[NewMessage]) -> list[int]:
        """Insert messages in one transaction; those whose id was seen before are dropped.

        Returns the places of those that were dropped although their content is not the one seen before.
        """
        rows = [message._asdict() for message in messages]
        if not rows:
            return []
        with self._database.writing() as connection:
            if change(connection, self._new_input, rows) == len(rows):
                return []
            ids = [message.input_id for message in messages]
            query = sa.select(inbox.c.input_id, inbox.c.digest).where(inbox.c.input_id.in_(ids))
            known = {row.input_id: row.digest for row in connection.execute(query)}
        return [place for place, message in enumerate(messages) if known[message.input_id] != message.digest]

    def waiting_keys(self) -> list[str]:
        """Instances with inputs to process."""
        return [row.key for row in self._database.rows(_WAITING_KEYS)]

    def waiting_inputs(self) -> int:
        """How many inputs have not been processed yet."""
        return int(self._database.scalar(_WAITING_INPUTS) or 0)

    def waiting_bytes(self) -> int:
        """How long the contents of inputs are together that have not been processed yet."""
        return int(self._database.scalar(_WAITING_BYTES) or 0)

    def oldest_input_at(self) -> float | None:
        """When the input arrived that has waited longest."""
        return self._database.scalar(sa.select(sa.func.min(inbox.c.arrived_at)).where(~inbox.c.done))

    def next_input(self, key: str) -> QueuedInput | None:
        """The oldest input of an instance."""
        row = self._database.row(_NEXT_INPUT, of=key)
        session = self._database.backend.session
        return None if row is None else QueuedInput(row.sequence, key, row.content, session)

    def forget_input(self, item: QueuedInput) -> None:
        """Remove an input that is to leave nothing, not even its id; raises as `_input_done` does."""
        with self._database.writing() as connection:
            self._database.require_session(item.session)
            connection.execute(inbox.delete().where(inbox.c.sequence == item.sequence))

    # ---- outbox ----

    def add_effects(self, key: str, effects: Iterable[tuple[str, bytes]], now: float) -> None:
        """Effects that no step asked for, such as an announcement at start."""
        with self._database.writing() as connection:
            self._add_effects(connection, key, effects, now)

    def due_effects(self, now: float, limit: int = 100, exclude: Iterable[int] = ()) -> list[QueuedEffect]:
        """Effects whose time has come, in order, those in hand excluded."""
        query, in_hand = _beside(exclude, _DUE_EFFECTS, _OTHER_DUE_EFFECTS)
        rows = self._database.rows(query, now=now, most=limit, **in_hand)
        return [QueuedEffect(*row) for row in rows]

    def effects_done(self, effects: Sequence[QueuedEffect]) -> None:
        """Forget effects that took place."""
        if effects:
            with self._database.writing() as connection:
                change(connection, _EFFECT_DONE, [{"which": effect.sequence} for effect in effects])

    def effect_failed(
        self, effect: QueuedEffect, next_at: float, unroutable_since: float | None = None
    ) -> None:
        """Try again later; `unroutable_since` tells for how long nobody has been there to take it."""
        later = outbox.update().where(outbox.c.sequence == effect.sequence)
        later = later.values(attempts=effect.attempts + 1, next_at=next_at, unroutable_since=unroutable_since)
        with self._database.writing() as connection:
            connection.execute(later)

    def calls_before(self, effect: QueuedEffect, most: int = 100) -> list[bytes]:
        """The contents of earlier calls of the same instance that have not taken place yet."""
        earlier = sa.select(outbox.c.content).where(
            outbox.c.key == effect.key, outbox.c.kind == "call", outbox.c.sequence < effect.sequence
        )
        return [row.content for row in self._database.rows(earlier.order_by(outbox.c.sequence).limit(most))]

    def effect_to_input(self, effect: QueuedEffect, input_id: bytes, content: bytes) -> None:
        """Turn an effect that was refused for good into an input, both or neither."""
        with self._database.writing() as connection:
            self._effect_done(connection, effect)
            self._add_inputs(connection, [(input_id, effect.key, content)])

    def waiting_effects(self) -> int:
        """How many effects have not taken place yet."""
        return int(self._database.scalar(_WAITING_EFFECTS) or 0)

    def oldest_effect_at(self) -> float | None:
        """When the effect was asked for that has waited longest."""
        return self._database.scalar(sa.select(sa.func.min(outbox.c.added_at)))

    def next_effect_at(self, exclude: Iterable[int] = ()) -> float | None:
        """When the next waiting effect is due, those in hand excluded."""
        query, in_hand = _beside(exclude, _NEXT_EFFECT_AT, _NEXT_OTHER_EFFECT_AT)
        return self._database.scalar(query, **in_hand)

    # ---- timers ----

    def due_timers(self, now: float) -> list[tuple[str, str, float]]:
        """(key, name, fire_at) of timers that have run out."""
        return [(row.key, row.name, row.fire_at) for row in self._database.rows(_DUE_TIMERS, now=now)]

    def timers_of(self, key: str) -> list[tuple[str, float]]:
        """(name, fire_at) of an instance's timers, the next first."""
        query = sa.select(timers).where(timers.c.key == key).order_by(timers.c.fire_at)
        return [(row.name, row.fire_at) for row in self._database.rows(query)]

    def timer_to_input(self, key: str, name: str, input_id: bytes, content: bytes) -> None:
        """Turn a timer that ran out into an input, both or neither."""
        gone = timers.delete().where(timers.c.key == key, timers.c.name == name)
        with self._database.writing() as connection:
            if connection.execute(gone).rowcount:
                self._add_inputs(connection, [(input_id, key, content)])

    def postpone(self, seconds: float, least: float) -> None:
        """Move every timer by so many seconds, which may be negative, and none to before `least`.

        After a clock was set back the outbox's pauses move as well, or they would last until it is there.
        """
        later = timers.c.fire_at + seconds
        moved = timers.update().values(fire_at=sa.case((later < least, least), else_=later))
        with self._database.writing() as connection:
            connection.execute(moved)
            if seconds < 0:
                connection.execute(outbox.update().values(next_at=outbox.c.next_at + seconds))

    def next_timer_at(self) -> float | None:
        """When the next timer runs out."""
        return self._database.scalar(_NEXT_TIMER_AT)

    # ---- inside a transaction ----

    def _add_inputs(
        self,
        connection: sa.Connection,
        inputs: Sequence[tuple[bytes, str, bytes]],
        training: int | None = None,
    ) -> None:
        rows = [
            {"input_id": input_id, "key": key, "content": content, "training": training}
            for input_id, key, content in inputs
        ]
        if rows:
            change(connection, self._new_input, rows)

    def _input_done(self, connection: sa.Connection, item: QueuedInput) -> bool:
        """Whether this is what makes it done: a commit whose answer was lost has done it before.

        Raises StoreUnavailable where it was read in an earlier session: what it leads to was worked out from
        what was read then.
        """
        self._database.require_session(item.session)
        return change(connection, _INPUT_DONE, [{"which": item.sequence}]) == 1

    def _effect_done(self, connection: sa.Connection, effect: QueuedEffect) -> bool:
        return change(connection, _EFFECT_DONE, [{"which": effect.sequence}]) == 1

    def _add_effects(
        self, connection: sa.Connection, key: str, effects: Iterable[tuple[str, bytes]], now: float
    ) -> None:
        rows = [{"key": key, "kind": kind, "content": content, "next_at": now} for kind, content in effects]
        if rows:
            change(connection, _NEW_EFFECT, rows)

    def _add_delayed(
        self, connection: sa.Connection, key: str, effect: tuple[str, bytes], due_at: float
    ) -> None:
        """An effect for later: its age, which an operator is warned of, counts from when it is due."""
        kind, content = effect
        row = {"key": key, "kind": kind, "content": content, "next_at": due_at, "added_at": due_at}
        change(connection, _NEW_EFFECT, [row])


def _beside(
    in_hand: Iterable[int], all_of_them: sa.Select[Any], others: sa.Select[Any]
) -> tuple[sa.Select[Any], dict[str, list[int]]]:
    """The statement for effects beside those in hand, and its parameter."""
    listed = list(in_hand)
    return (others, {"in_hand": listed}) if listed else (all_of_them, {})
