"""What waits in a store: inputs, effects and timers, each in its order and once."""

import pytest

from services.store import NewMessage, Store
from tests.support.database.stores import FIRST, SECOND, attempts, everything, failing_at, offered, writes


@pytest.fixture
def store(store_url):
    opened = Store(store_url)
    yield opened
    opened.close()


# ---- inbox ----


def test_a_second_delivery_is_dropped_before_and_after_its_step(store):
    item = offered(store)
    store.add_inputs([(FIRST, "1", b"again"), (SECOND, "1", b"next")])
    assert store.waiting_inputs() == 2
    store.write_step(item, writes(), now=0.0)
    store.add_inputs([(FIRST, "1", b"again")])
    assert store.next_input("1").content == b"next"
    assert store.waiting_inputs() == 1


def test_inputs_come_in_order_each_instance_for_itself(store):
    store.add_inputs([(bytes([i]) * 32, str(i % 2), bytes([i])) for i in range(6)])
    assert sorted(store.waiting_keys()) == ["0", "1"]
    seen = []
    while (item := store.next_input("1")) is not None:
        seen.append(item.content)
        store.finish_input(item, now=0.0)
    assert seen == [b"\1", b"\3", b"\5"]
    assert store.waiting_keys() == ["0"]


def test_what_is_done_leaves_no_content_behind(store):
    store.finish_input(offered(store, content=b"sealed"), now=0.0)
    assert [row[3] for row in everything(store)["inbox"]] == [None]


# ---- outbox ----


def test_effects_come_in_order_wait_when_they_failed_and_go_when_done(store):
    effects = [("message", b"a"), ("call", b"b"), ("message", b"c")]
    store.write_step(offered(store), writes(effects=effects), now=5.0)
    assert store.due_effects(4.9) == []
    due = store.due_effects(5.0)
    assert [(effect.kind, effect.content, effect.attempts) for effect in due] == [
        (kind, content, 0) for kind, content in effects
    ]
    store.effect_failed(due[0], next_at=8.0)
    store.effects_done(due[1:2])
    assert [effect.content for effect in store.due_effects(7.9)] == [b"c"]
    assert [(effect.content, effect.attempts) for effect in store.due_effects(8.0)] == [(b"a", 1), (b"c", 0)]
    assert store.next_effect_at() == 5.0
    assert store.next_effect_at({due[2].sequence}) == 8.0
    store.effects_done(store.due_effects(8.0))
    assert store.waiting_effects() == 0
    assert store.next_effect_at() is None


def test_an_effect_that_waits_its_turn_is_as_old_as_it_is_late(store):
    effects = [("message", b"a")]
    later = [(60.0, ("call", b"b"))]
    store.write_step(offered(store), writes(effects=effects, delayed=later), now=5.0)
    [first] = store.due_effects(64.9)
    assert first.content == b"a"
    store.effects_done([first])
    assert store.next_effect_at() == store.oldest_effect_at() == 65.0
    assert [effect.content for effect in store.due_effects(65.0)] == [b"b"]


# ---- timers ----


def test_a_timer_is_replaced_cancelled_and_fires_once(store):
    store.write_step(offered(store), writes(timers={"join": 5.0, "stalled": 9.0}), now=100.0)
    assert store.next_timer_at() == 105.0
    store.write_step(offered(store, SECOND), writes(timers={"join": 1.0}, cancelled={"stalled"}), now=110.0)
    assert store.due_timers(110.9) == []
    assert store.due_timers(111.0) == [("1", "join", 111.0)]
    store.timer_to_input("1", "join", b"t" * 32, b"fired")
    store.timer_to_input("1", "join", b"u" * 32, b"fired again")
    assert store.next_timer_at() is None
    assert store.waiting_inputs() == 1


def test_timers_of_two_instances_do_not_meet(store):
    for number, key in enumerate("12"):
        item = offered(store, bytes([number]) * 32, key)
        store.write_step(item, writes(timers={"join": 1.0 + number}), now=0.0)
    store.write_step(offered(store, SECOND, "1"), writes(cancelled={"join"}), now=0.0)
    assert store.due_timers(9.0) == [("2", "join", 2.0)]


# ---- messages ----


def test_messages_of_one_batch_are_one_transaction(store):
    batch = [NewMessage(bytes([number]) * 32, "1", bytes([number]), b"d" * 32) for number in range(5)]
    assert attempts(store, lambda: store.add_messages(batch)) >= 1
    assert store.waiting_inputs() == 5
    assert store.add_messages([]) == []


def test_an_id_seen_with_another_content_is_told_by_its_place(store):
    first, other = NewMessage(FIRST, "1", b"a", b"a" * 32), NewMessage(FIRST, "1", b"b", b"b" * 32)
    new = NewMessage(SECOND, "1", b"c", b"c" * 32)
    assert store.add_messages([first, first, other]) == [2]
    assert store.add_messages([other, new, first]) == [0]
    item = store.next_input("1")
    store.finish_input(item, 0.0)
    assert item.content == b"a"
    assert store.add_messages([first, other]) == [1]  # also when it is done
    assert store.next_input("1").content == b"c"
    assert store.next_input("1").sequence > item.sequence


def test_a_trainings_key_is_asked_of_the_database_once(store):
    store.write_step(offered(store, key="order:1"), writes(training=7), now=0.0)
    assert store.key_of(7) == "order:1"
    heal = failing_at(store, 1)
    assert store.key_of(7) == "order:1"
    heal()
    assert store.key_of(8) is None
