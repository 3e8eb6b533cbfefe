"""A role's durable state, through SQLAlchemy Core.

A step is one transaction: new state, effects, timers and the input's mark appear together or not at all.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from cachetools import LRUCache, TTLCache

from services.common.outages import Outage
from services.store.database import REST_SECONDS, Database
from services.store.forgetting import forget_orphans, forget_untouched
from services.store.memory import Memory
from services.store.prepared_writes import change, first_row
from services.store.queues import Queues
from services.store.rows import InstanceRow, QueuedEffect, QueuedInput, StepWrites
from services.store.schema import bring_up_to_date, require_current, require_no_backup
from services.store.step_writes import (
    NEW_FACT,
    add_answer,
    add_facts,
    put,
    write_blobs,
    write_timers,
    write_values,
)
from services.store.tables import blobs, facts, inbox, instances, outbox, results, role_values, timers
from services.store.transcripts import ENTRIES, LAST, add_entries, end_of, linked

_MOST_KEYS = 4096
_COUNTED_SECONDS = 60.0
_PROBE = "probe"

_INSTANCES = sa.select(instances)
_INSTANCE = _INSTANCES.where(instances.c.key == sa.bindparam("of"))
_KEY_OF = sa.select(instances.c.key).where(instances.c.training == sa.bindparam("of"))
_KEY_OF_EVENTS = sa.select(inbox.c.key).where(inbox.c.training == sa.bindparam("of")).limit(1)
_FACTS = sa.select(facts).where(facts.c.key == sa.bindparam("of")).order_by(facts.c.sequence)
_SAME_FACT = (
    sa.select(facts.c.sequence)
    .where(*(facts.c[part] == sa.bindparam(f"of_{part}") for part in ("key", "name", "data")))
    .limit(1)
)
_VALUES = (
    sa.select(role_values)
    .where(role_values.c.name.like(sa.bindparam("pattern"), escape="/"))
    .order_by(role_values.c.name)
)
_ESCAPED = str.maketrans({wild: f"/{wild}" for wild in "/%_"})
_BLOBS = sa.select(blobs.c.digest, blobs.c.content).where(blobs.c.key == sa.bindparam("of"))


class Store(Queues):
    """One role's database."""

    def __init__(
        self,
        url: str = "sqlite://",
        *,
        password: str | None = None,
        exclusive: bool = False,
        existing: bool = False,
        rest_seconds: float = REST_SECONDS,
        outage: Outage | None = None,
    ) -> None:
        """Open, and make or upgrade what is missing or old; see Database for the options.

        A daemon opens its store `exclusive` until it closes it. With `existing`, nothing is made or upgraded:
        for those who look at a store beside its daemon.

        Raises ConfigurationError for a store that this program cannot use, StoreUnavailable when the database
        does not answer, StoreInUse when another process works on it.
        """
        database = Database(
            url,
            password=password,
            exclusive=exclusive,
            existing=existing,
            rest_seconds=rest_seconds,
            outage=outage,
        )
        super().__init__(database)
        # Every message asks; a training's instance never changes.
        self._keys: LRUCache[int, str] = LRUCache(_MOST_KEYS)
        self._counts: TTLCache[str, int] = TTLCache(16, _COUNTED_SECONDS)
        self._memory = Memory(is_used=exclusive)
        self._memory.forget_with_connections(database.engine)
        try:
            if existing:
                require_current(database)
            else:
                bring_up_to_date(database)
            if exclusive:
                require_no_backup(database)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the database."""
        self._database.close()

    @property
    def is_away(self) -> bool:
        """Whether the last attempt to read or to write failed."""
        return self._database.outage.is_on

    def probe(self) -> None:
        """Raise StoreUnavailable unless the database answers and, where it failed lately, can be written."""
        self._database.ping()
        if self.is_away:
            self.put_value(_PROBE, b"")

    async def ping(self) -> None:
        """As `probe`, for the daemon's health."""
        self.probe()

    # ---- instances ----

    def instance(self, key: str) -> InstanceRow | None:
        """The instance by key."""
        if (known := self._memory.of(key).row) is not None:
            return known
        found = self._database.row(_INSTANCE, of=key)
        if found is None:
            return None
        row = InstanceRow(*found)
        self._memory.learn(key, row=row)
        return row

    def instances(self) -> list[InstanceRow]:
        """All of them, oldest change first."""
        return self._instances(_INSTANCES.order_by(instances.c.updated_at))

    def keys_shown(self, states: Iterable[str]) -> list[str]:
        """The keys of the instances that people see in one of these states."""
        query = sa.select(instances.c.key).where(instances.c.shown.in_(list(states)))
        return [row.key for row in self._database.rows(query)]

    def keys_under_way(self) -> list[str]:
        """The keys of instances that have not ended, and of those whose first input waits."""
        query = sa.select(instances.c.key).where(~instances.c.finished)
        return [*(row.key for row in self._database.rows(query)), *self.waiting_keys()]

    def newest_instances(self, count: int, skipped: int = 0) -> list[InstanceRow]:
        """So many, the newest change first, after those skipped."""
        query = _INSTANCES.order_by(instances.c.updated_at.desc(), instances.c.key)
        return self._instances(query.limit(count).offset(skipped))

    def trainings_by_state(self) -> dict[str, int]:
        """How many trainings are in each state that people see."""
        query = sa.select(instances.c.shown, sa.func.count()).group_by(instances.c.shown)
        return {status: int(count) for status, count in self._database.rows(query)}

    def quiet_since(self) -> float | None:
        """When the training under way changed that has been quiet longest."""
        query = sa.select(sa.func.min(instances.c.updated_at)).where(~instances.c.finished)
        return self._database.scalar(query)

    def key_of(self, training: int) -> str | None:
        """The key of the instance that became this training, or becomes it with the events that wait."""
        if (remembered := self._keys.get(training)) is not None:
            return remembered
        key: str | None = self._database.scalar(_KEY_OF, of=training)
        if key is None:
            return self._database.scalar(_KEY_OF_EVENTS, of=training)
        self._keys[training] = key
        return key

    def blobs(self, key: str) -> dict[bytes, bytes]:
        """Everything an instance refers to."""
        if (known := self._memory.of(key).blobs) is not None:
            return dict(known)
        found = dict(self._database.rows(_BLOBS, of=key))
        self._memory.learn(key, blobs=dict(found))
        return found

    def write_step(self, item: QueuedInput, writes: StepWrites, now: float) -> None:
        """One step's outcome, in one transaction; nothing when the input is done already (`_input_done`)."""
        key = item.key
        with self._database.writing() as connection:
            known = self._memory.take(key)  # not before: a connection that is made now forgets it
            if not self._input_done(connection, item):
                return
            values = {
                "training": writes.training,
                "state": writes.state,
                "shown": writes.display_status,
                "finished": writes.finished,
                "updated_at": now,
            }
            put(connection, instances, {"key": key}, values)
            self._add_effects(connection, key, writes.effects, now)
            for seconds, effect in writes.delayed:
                self._add_delayed(connection, key, effect, now + seconds)
            write_timers(connection, key, writes, now)
            write_blobs(connection, key, writes)
            add_facts(connection, key, writes.facts, now)
            add_answer(connection, writes.answer, now)
            for name, content in writes.results.items():
                put(connection, results, {"key": key, "name": name}, {"content": content})
            end = add_entries(connection, key, writes.transcript, known.end)
            write_values(connection, writes.values)
        self._memory.keep(key, known.after(writes, now, end))

    def finish_input(
        self,
        item: QueuedInput,
        now: float,
        *,
        effects: Iterable[tuple[str, bytes]] = (),
        values: Mapping[str, bytes | None] | None = None,
        facts: Iterable[tuple[str, Mapping[str, Any]]] = (),
        inputs: Sequence[tuple[bytes, str, bytes]] = (),
        answer: tuple[str, tuple[str, Mapping[str, Any]]] | None = None,
    ) -> None:
        """Mark an input done that changed no instance, with what it leads to; unless it is done already.

        `values` are the daemon's own, None forgets one; `inputs` are (input id, key, content) for instances,
        `answer` a fact about another key. Raises as `_input_done` does.
        """
        with self._database.writing() as connection:
            if not self._input_done(connection, item):
                return
            self._add_effects(connection, item.key, effects, now)
            write_values(connection, values or {})
            add_facts(connection, item.key, facts, now)
            add_answer(connection, answer, now)
            if inputs:
                self._add_inputs(connection, inputs)

    def give_up_effect(
        self,
        effect: QueuedEffect,
        now: float,
        letter: tuple[str, bytes] | None,
        fact: tuple[str, Mapping[str, Any]],
    ) -> None:
        """Replace an effect that cannot take place by a fact and, if any, a letter, in one transaction."""
        with self._database.writing() as connection:
            if self._effect_done(connection, effect):
                self._add_effects(connection, effect.key, [] if letter is None else [letter], now)
                add_facts(connection, effect.key, [fact], now)

    def archive(self, before: float, limit: int = 20) -> int:
        """Close instances that ended before a moment, at most `limit`; returns how many.

        State, facts and results stay, except of what strangers began and nobody here took part in. Inputs are
        refused from then on, so their ids need not be known. What belongs to no instance goes as well.
        """
        ended = sa.select(instances.c.key).where(
            instances.c.finished, instances.c.updated_at < before, instances.c.closed.is_(None)
        )
        self._memory.forget_all()
        with self._database.writing() as connection:
            keys = list(connection.scalars(ended.limit(limit)))
            for table in (blobs, timers):
                connection.execute(table.delete().where(table.c.key.in_(keys)))
            connection.execute(inbox.delete().where(inbox.c.key.in_(keys), inbox.c.done))
            connection.execute(instances.update().where(instances.c.key.in_(keys)).values(closed="archived"))
            forget_untouched(connection, keys)
            forget_orphans(connection, before)
        if keys:
            self._keys.clear()
        return len(keys)

    def forget_counts(self) -> None:
        """Have `row_counts` look again."""
        self._counts.clear()

    def row_counts(self) -> dict[str, int]:
        """How many rows each table has, looked at once a minute."""
        if not self._counts:
            with self._database.reading() as connection:
                self._counts.update(
                    (
                        table.name,
                        connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one(),
                    )
                    for table in (instances, inbox, outbox, timers, blobs, facts, results, role_values)
                )
        return dict(self._counts)

    # ---- for people and shells ----

    def note(self, key: str, fact: tuple[str, Mapping[str, Any]], now: float) -> None:
        """Keep a fact that no step asked for."""
        with self._database.writing() as connection:
            add_facts(connection, key, [fact], now)

    def note_answer(self, answer: tuple[str, tuple[str, Mapping[str, Any]]], now: float) -> None:
        """Keep the first fact about a key that no step asked for; a second one is left out."""
        with self._database.writing() as connection:
            add_answer(connection, answer, now)

    def facts(self, key: str) -> list[tuple[str, dict[str, Any], float]]:
        """(name, data, at) in order."""
        return [(row.name, json.loads(row.data), row.at) for row in self._database.rows(_FACTS, of=key)]

    def facts_named(self, name: str) -> list[tuple[dict[str, Any], float]]:
        """(data, at) of all facts of a name, whatever they are about, in order."""
        query = sa.select(facts.c.data, facts.c.at).where(facts.c.name == name).order_by(facts.c.sequence)
        return [(json.loads(row.data), row.at) for row in self._database.rows(query)]

    def note_once(self, key: str, name: str, data: Mapping[str, Any], now: float) -> None:
        """Note a fact, unless the same was noted before: its source may tell it twice."""
        text = json.dumps(dict(data))
        fact = {"key": key, "name": name, "data": text}
        with self._database.writing() as connection:
            named = {f"of_{part}": value for part, value in fact.items()}
            if first_row(connection, _SAME_FACT, named) is None:
                change(connection, NEW_FACT, [{**fact, "at": now}])

    def result(self, key: str, name: str) -> bytes | None:
        """A private result, such as the bought model."""
        query = sa.select(results.c.content).where(results.c.key == key, results.c.name == name)
        return self._database.scalar(query)

    def transcript(self, key: str) -> list[tuple[bytes, bytes]]:
        """What is kept of a training so that it can be verified, oldest first: each entry with its link."""
        return [linked(row.content) for row in self._database.rows(ENTRIES, of=key)]

    def kept_head(self, key: str) -> bytes:
        """The link of the last entry that is kept of a training, under which all of it stands."""
        if (end := self._memory.of(key).end) is None:
            end = end_of(self._database.row(LAST, of=key))
            self._memory.learn(key, end=end)
        return end.link

    def put_value(
        self, name: str, content: bytes | None, *, effects: Iterable[tuple[str, bytes]] = (), now: float = 0.0
    ) -> None:
        """Remember something of the role's own, such as the listener's cursor, with what follows from it.

        None forgets it; an unknown name is not an error then. The effects are due from `now` on.
        """
        with self._database.writing() as connection:
            write_values(connection, {name: content})
            self._add_effects(connection, name, effects, now)

    def values(self, prefix: str) -> dict[str, bytes]:
        """What is remembered under names with this prefix, the prefix cut off."""
        rows = self._database.rows(_VALUES, pattern=f"{prefix.translate(_ESCAPED)}%")
        return {row.name.removeprefix(prefix): row.content for row in rows}

    def _instances(self, query: sa.Select[Any]) -> list[InstanceRow]:
        return [InstanceRow(*row) for row in self._database.rows(query)]
