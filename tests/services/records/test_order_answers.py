"""Answers to an operator's orders, as the daemon's store keeps them."""

import os

from protocol.messages import MESSAGE_TYPES
from services.records.order_answers import ACCEPTED, ORDERS, OrderAnswer, answer_to
from services.store import Store


def test_an_answer_is_found_by_its_order_and_the_first_one_counts(tmp_path):
    url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    first, other = os.urandom(16), os.urandom(16)
    store = Store(url)
    assert answer_to(store, first) is None
    refused = OrderAnswer("over_budget", "", "READY", {"data_set": "rows"})
    for answer in (refused, OrderAnswer(ACCEPTED)):
        store.note(*answer.fact(first, "owner_decision"), 1.0)
    store.close()
    again = Store(url, existing=True)  # the answer outlives the daemon's restart
    assert answer_to(again, first) == refused
    assert answer_to(again, other) is None
    again.close()


def test_answers_go_with_what_else_is_old():
    store = Store()
    old, new = os.urandom(16), os.urandom(16)
    store.note(*OrderAnswer(ACCEPTED).fact(old, "stop_order"), 10.0)
    store.note(*OrderAnswer(ACCEPTED).fact(new, "stop_order"), 30.0)
    store.archive(20.0)
    assert answer_to(store, old) is None
    assert answer_to(store, new) == OrderAnswer(ACCEPTED)
    store.close()


def test_orders_are_what_an_operator_may_send():
    assert {
        "training_order",
        "admission_order",
        "cards_order",
        "owner_decision",
        "policy_order",
        "withdraw_order",
        "stop_order",
    } == ORDERS
    assert set(MESSAGE_TYPES) > ORDERS
