"""A daemon for commands under test: it answers each order at once, or never."""

import os
from contextlib import closing

from services.cli import order_sending
from services.store import Store


def answered_orders(monkeypatch, answer, *, then=None):
    """The orders' bodies, as they are sent; `answer` is None for a daemon that is away.

    `then(store, message_id)` is what an order leads to in the daemon's store.
    """
    sent = []

    def send(config, _role, body, _training):
        message_id = os.urandom(16)
        sent.append(body)
        with closing(Store(config.store)) as store:
            if answer is not None:
                store.note(*answer.fact(message_id, body.type), 1.0)
            if then is not None:
                then(store, message_id)
        return message_id

    monkeypatch.setattr(order_sending, "send_order", send)
    return sent
