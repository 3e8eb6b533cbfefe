"""The store: a step all or nothing, what is kept, and what survives a crash."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.store import Store
from tests.support.database.stores import FIRST, SECOND, attempts, everything, full_writes, offered, writes

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(store_url):
    opened = Store(store_url)
    yield opened
    opened.close()


# ---- a step ----


def test_a_step_that_fails_anywhere_changes_nothing(store):
    first = offered(store)
    store.write_step(first, full_writes(), now=10.0)
    second = offered(store, SECOND)
    faults = attempts(store, lambda: store.write_step(second, full_writes(b"b"), now=20.0))
    assert faults >= 8  # at least one for each of the tables
    assert store.instance("1").state == b"b"
    assert store.next_input("1") is None


def test_a_fact_that_is_not_json_undoes_its_step(store):
    item = offered(store)
    before = everything(store)
    with pytest.raises(TypeError):
        store.write_step(item, writes(effects=[("call", b"c")], facts=[("told", {"data": b"raw"})]), now=0.0)
    assert everything(store) == before
    assert store.next_input("1") == item


def test_an_input_without_a_step_is_finished_whole_or_not_at_all(store):
    item = offered(store, key="outside")
    answer = {"effects": [("letter", b"l")], "values": {"announced:x": b""}, "facts": [("told", {"n": 1})]}
    assert attempts(store, lambda: store.finish_input(item, 1.0, **answer)) >= 4
    assert store.next_input("outside") is None
    assert [effect.content for effect in store.due_effects(1.0)] == [b"l"]
    assert store.values("announced:") == {"x": b""}


def test_a_value_and_what_follows_from_it_are_stored_both_or_neither(store):
    effects = [("event", b"first"), ("event", b"second")]
    assert attempts(store, lambda: store.put_value("cursor", b"9", effects=effects)) >= 2
    assert store.values("cursor") == {"": b"9"}
    assert [effect.content for effect in store.due_effects(0.0)] == [b"first", b"second"]


def test_a_timer_or_an_effect_becomes_an_input_whole_or_not_at_all(store):
    store.write_step(offered(store), writes(timers={"join": 1.0}, effects=[("call", b"c")]), now=0.0)
    attempts(store, lambda: store.timer_to_input("1", "join", SECOND, b"timer"))
    (effect,) = store.due_effects(0.0)
    attempts(store, lambda: store.effect_to_input(effect, b"3" * 32, b"refused"))
    assert store.next_timer_at() is None
    assert store.waiting_effects() == 0
    assert store.waiting_inputs() == 2


def test_a_step_replaces_the_state_and_tells_its_training(store):
    store.write_step(offered(store, key="order:1"), writes(training=None, state=b"old"), now=1.0)
    assert store.key_of(7) is None
    ended = writes(training=7, state=b"new", display_status="FINISHED", finished=True)
    store.write_step(offered(store, SECOND, "order:1"), ended, now=2.0)
    row = store.instance("order:1")
    assert (row.training, row.state, row.display_status, row.finished, row.updated_at) == (
        7,
        b"new",
        "FINISHED",
        True,
        2.0,
    )
    assert store.key_of(7) == "order:1"
    assert store.instances() == [row]
    assert store.trainings_by_state() == {"FINISHED": 1}


def test_an_event_in_the_inbox_tells_its_training_before_its_step(store):
    store.add_inputs([(FIRST, "order:1", b"opened")], training=7)
    assert store.key_of(7) == "order:1"
    assert store.key_of(8) is None
    store.add_inputs([(SECOND, "8", b"a message that claims a training")])
    assert store.key_of(8) is None


# ---- blobs, facts, results, values ----


def test_blobs_stay_as_long_as_the_state_refers_to_them(store):
    one, two, unused = b"a" * 32, b"b" * 32, b"c" * 32
    first = writes(references=frozenset({one, two}), blobs={one: b"1", two: b"2", unused: b"3"})
    store.write_step(offered(store), first, now=0.0)
    assert store.blobs("1") == {one: b"1", two: b"2"}
    later = writes(references=frozenset({two}), known=frozenset({one, two}), blobs={two: b"2"})
    store.write_step(offered(store, SECOND), later, now=0.0)
    assert store.blobs("1") == {two: b"2"}
    assert store.blobs("2") == {}


def test_facts_come_in_order_and_results_are_replaced(store):
    facts = [("opened", {"training": 1}), ("settled", {"paid_wei": "3"})]
    store.write_step(offered(store), writes(facts=facts, results={"model": b"old"}), now=1.0)
    store.write_step(
        offered(store, SECOND), writes(facts=[("finished", {})], results={"model": b"new"}), now=2.0
    )
    assert store.facts("1") == [
        ("opened", {"training": 1}, 1.0),
        ("settled", {"paid_wei": "3"}, 1.0),
        ("finished", {}, 2.0),
    ]
    assert store.result("1", "model") == b"new"
    assert store.result("2", "model") is None


def test_values_are_found_by_prefix_and_replaced(store):
    for name in ("announced:0xa", "announced:0xb", "announcedX", "an%:1"):
        store.put_value(name, name.encode())
    store.put_value("announced:0xa", b"new")
    assert store.values("announced:") == {"0xa": b"new", "0xb": b"announced:0xb"}
    assert store.values("an%:") == {"1": b"an%:1"}  # no wildcard


# ---- the database ----


def test_everything_is_there_when_it_is_opened_again(store, store_url):
    store.write_step(offered(store), full_writes(), now=0.0)
    store.put_value("cursor", b"9")
    store.add_inputs([(SECOND, "1", b"waits")])
    before = everything(store)
    store.close()
    again = Store(store_url)
    assert everything(again) == before
    again.close()


_KILLED_IN_A_STEP = """
import os, signal, sys
from services.store import StepWrites, Store

class Killing(list):
    def __iter__(self):
        os.kill(os.getpid(), signal.SIGKILL)

store = Store(sys.argv[1], exclusive=True)
for number in range(6):
    store.add_inputs([(bytes([number]) * 32, "1", b"input")])
    writes = StepWrites(1, bytes([number]), "IN_PROGRESS", finished=False, references=frozenset())
    writes.effects, writes.timers = [("call", bytes([number]))], {f"timer:{number}": 1.0}
    if number == 5:
        writes.facts = Killing()
    store.write_step(store.next_input("1"), writes, float(number))
"""


def test_a_writer_that_is_killed_in_a_transaction_leaves_the_step_before(store_url):
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_IN_A_STEP, store_url], cwd=ROOT, env=dict(os.environ), check=False
    )
    assert killed.returncode == -signal.SIGKILL
    store = Store(store_url)
    assert store.instance("1").state == bytes([4])
    assert [effect.content for effect in store.due_effects(9.0)] == [bytes([n]) for n in range(5)]
    assert len(store.due_timers(99.0)) == 5
    assert store.waiting_inputs() == 1  # the sixth input is taken up again
    store.write_step(store.next_input("1"), full_writes(), now=9.0)
    assert store.waiting_inputs() == 0
    store.close()
