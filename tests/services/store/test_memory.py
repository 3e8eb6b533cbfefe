"""What a store remembers is what it holds: after each step, and after each fault at any statement."""

import dataclasses
import os
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa

from protocol.verification.links import require_links
from services.common.errors import StoreUnavailable
from services.store import Store
from services.store import memory as memories
from services.store.memory import Known, Memory
from services.store.tables import blobs
from services.store.transcripts import add_entries
from tests.support.database.postgresql import fresh_schema
from tests.support.database.stores import (
    FIRST,
    SECOND,
    Stopped,
    attempts,
    everything,
    full_writes,
    offered,
    writes,
)


@pytest.fixture
def store():
    made = Store(exclusive=True)
    yield made
    made.close()


def _shown(store, key="1"):
    return store.instance(key), store.blobs(key), store.kept_head(key)


def _require_true(store, key="1"):
    """What is remembered is what is read; asked in both orders, since reading is remembered as well."""
    remembered = _shown(store, key)
    store._memory.forget_all()
    assert _shown(store, key) == remembered
    assert _shown(store, key) == remembered


def _next(store, number, **changes):
    item = offered(store, bytes([number]) * 32)
    known = frozenset(store.blobs("1"))
    store.write_step(
        item, dataclasses.replace(full_writes(bytes([number])), known=known, **changes), 1.5 + number
    )


def test_after_each_step_it_is_what_the_store_holds(store):
    assert _shown(store)[:2] == (None, {})
    for number in range(1, 6):
        _next(store, number, transcript=[b"entry", bytes([number])][: number % 3])
        assert set(store.blobs("1")) == {bytes([number]) * 32}
        _require_true(store)
    assert store.instance("1").state == bytes([5])


def test_a_blob_that_a_state_keeps_is_found_and_one_that_it_refers_to_no_more_is_not(store):
    first, second, unused = b"a" * 32, b"b" * 32, b"c" * 32
    both, kept = frozenset({first, second}), frozenset({second})
    given = {first: b"1", second: b"2", unused: b"3"}
    store.write_step(offered(store, b"1" * 32), writes(references=both, blobs=given), 1.0)
    _require_true(store)
    store.write_step(offered(store, b"2" * 32), writes(references=kept, known=both), 2.0)
    assert store.blobs("1") == {second: b"2"}
    _require_true(store)


def test_who_changes_what_it_was_given_changes_nothing_here(store):
    _next(store, 1)
    store.blobs("1").clear()
    store.blobs("1").clear()
    assert len(store.blobs("1")) == 1


def test_a_fault_at_any_statement_leaves_nothing_remembered_that_the_store_does_not_hold(store):
    _next(store, 1, transcript=[b"entry"])
    item, known = offered(store, b"2" * 32), frozenset(store.blobs("1"))
    step = dataclasses.replace(full_writes(b"b"), known=known, transcript=[b"other"])

    def work() -> None:
        try:
            store.write_step(item, step, 2.0)
        finally:
            _require_true(store)

    assert attempts(store, work) >= 5


def test_a_commit_whose_answer_was_lost_is_looked_at_anew(store, monkeypatch):
    _next(store, 1)
    item = offered(store, b"2" * 32)
    writing = store._database.writing

    @contextmanager
    def losing():
        with writing() as connection:
            yield connection
        raise Stopped

    monkeypatch.setattr(store._database, "writing", losing)
    with pytest.raises(Stopped):
        store.write_step(item, writes(state=b"new"), 2.0)
    monkeypatch.undo()
    assert store.instance("1").state == b"new"
    store.write_step(item, writes(state=b"twice"), 3.0)
    assert store.instance("1").state == b"new"
    _require_true(store)


def test_what_is_archived_is_seen_as_closed(store):
    store.write_step(
        offered(store), writes(finished=True, references=frozenset({FIRST}), blobs={FIRST: b""}), 1.0
    )
    assert store.instance("1").closed is None
    assert store.blobs("1")
    assert store.archive(before=2.0) == 1
    assert store.instance("1").closed == "archived"
    assert not store.blobs("1")


def test_who_only_looks_at_a_store_sees_what_its_daemon_writes(tmp_path):
    url = f"sqlite:///{tmp_path / 'store'}"
    daemon = Store(url, exclusive=True)
    other = Store(url, existing=True)
    for state in (b"one", b"two", b"three"):
        daemon.write_step(offered(daemon, os.urandom(32)), writes(state=state), 1.0)
        assert other.instance("1").state == daemon.instance("1").state == state
    other.close()
    daemon.close()


def test_a_remembered_instance_is_not_read_again(store):
    _next(store, 1)
    _shown(store)
    with store._database.writing() as connection:  # as nobody may beside a daemon
        connection.execute(sa.delete(blobs))
    assert store.blobs("1")
    assert everything(store)["blobs"] == []


def test_only_what_has_room_is_remembered(monkeypatch):
    monkeypatch.setattr(memories, "MOST_BYTES", 10_000)
    memory = Memory(is_used=True)
    for key in "abcd":
        memory.learn(key, blobs={FIRST: bytes(3000)})
    assert [bool(memory.of(key).blobs) for key in "abcd"] == [False, False, True, True]
    memory.learn("d", blobs={FIRST: bytes(20_000)})
    assert memory.of("d") == Known()
    assert memory.of("c").blobs


def test_after_a_lost_connection_it_is_what_another_daemon_has_written(postgresql):
    with fresh_schema(postgresql) as url:
        store = Store(url, exclusive=True)
        store.write_step(offered(store), dataclasses.replace(writes(state=b"one"), transcript=[b"a"]), 1.0)
        _end_session(postgresql, store)
        other = Store(url, exclusive=True)
        step = full_writes(b"2")
        other.write_step(offered(other, b"2" * 32), dataclasses.replace(step, transcript=[b"b"]), 2.0)
        left = _shown(other)
        other.close()
        assert _shown(store) == left
        _require_true(store)
        store.close()


def test_a_step_that_connects_anew_is_taken_again_from_the_transcript_that_it_finds(postgresql):
    with fresh_schema(postgresql) as url:
        store = Store(url, exclusive=True)
        store.write_step(offered(store), dataclasses.replace(writes(), transcript=[b"a"]), 1.0)
        item = offered(store, b"3" * 32)
        _end_session(postgresql, store)
        other = Store(url, exclusive=True)
        with other._database.writing() as connection:
            add_entries(connection, "1", [b"b"], None)
        other.close()
        step = dataclasses.replace(writes(), transcript=[b"c"])
        with pytest.raises(StoreUnavailable, match="connected to anew"):
            store.write_step(item, step, 3.0)
        store.write_step(store.next_input("1"), step, 3.0)
        assert [entry for entry, _link in store.transcript("1")] == [b"a", b"b", b"c"]
        require_links(store.transcript("1"))
        _require_true(store)
        store.close()


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda store, item: store.write_step(item, writes(state=b"mine"), 3.0), id="its step"),
        pytest.param(lambda store, item: store.finish_input(item, 3.0, values={"mine": b""}), id="a refusal"),
        pytest.param(lambda store, item: store.forget_input(item), id="nothing, not even its id"),
    ],
)
def test_what_was_read_before_another_daemon_wrote_leads_to_nothing(postgresql, write):
    with fresh_schema(postgresql) as url:
        store = Store(url, exclusive=True)
        store.write_step(offered(store), writes(state=b"one"), 1.0)
        item = offered(store, SECOND)
        assert store.instance("1").state == b"one"
        _end_session(postgresql, store)
        other = Store(url, exclusive=True)
        later = dataclasses.replace(offered(other, b"3" * 32), sequence=item.sequence + 1)
        other.write_step(later, writes(state=b"theirs"), 2.0)
        other.close()
        waiting = store.waiting_inputs()  # a read that connects anew: the step has seen nothing of it
        left = everything(store)
        with pytest.raises(StoreUnavailable, match="connected to anew since this was begun"):
            write(store, item)
        assert (everything(store), store.waiting_inputs()) == (left, waiting)
        again = store.next_input("1")
        assert again.sequence == item.sequence
        write(store, again)
        assert store.waiting_inputs() == waiting - 1
        store.close()


def test_nothing_that_is_remembered_is_in_a_repr():
    assert "secret" not in repr(Known(blobs={FIRST: b"secret"}))


def _end_session(database, store):
    """As a network that drops the store's connection would: with it, its lock is gone."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s",
            (store._database.backend._name,),
        )
