"""What waits in a store: inputs, effects and timers, each in its order and once."""

import pytest

from services.store import Store
from tests.support.stores import FIRST, SECOND, everything, offered, writes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "private" / "daemon.sqlite"


@pytest.fixture
def store(path):
    opened = Store(f"sqlite:///{path}")
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
