"""A store with rows as a daemon writes them: a training under way, what waits, a model that was bought."""

import os
from functools import cache

from protocol.bought_model import BoughtModel
from protocol.codec import pack
from protocol.marketplace import Settle
from protocol.roles.engine.inputs import TimerFired
from protocol.roles.engine.state import references
from services.runtime.effects import packed_call
from services.runtime.input_codec import queued
from services.store import Store
from tests.support.database.stores import offered, writes
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import small_market

MODEL = BoughtModel(name="m", features=("a",), target="y", weights=(2.0,), intercept=None)
RUNNING, ENDED = "1", "2"


@cache
def half_a_training() -> PureMarket:
    """A training whose validators measure the first round."""
    market = small_market()
    market.run_until("projection_request")
    return market


def fill(store: Store) -> None:
    """The aggregator's training under way, one that ended, an input, a timer and a call that wait."""
    party = half_a_training().aggregator
    running = writes(
        state=party.state,
        references=frozenset(references(party.decoded)),
        blobs=party.blobs,
        timers={"step": 60.0},
        effects=[packed_call(Settle(training=1))],
        facts=[("started", {"trainers": 2})],
    )
    assert running.references
    store.write_step(offered(store, os.urandom(32), RUNNING, queued(TimerFired(name="x"))), running, now=1.0)
    ended = writes(
        training=2,
        state=party.state,
        display_status="FINISHED",
        finished=True,
        results={"model": pack(MODEL)},
    )
    ended.references, ended.blobs = running.references, running.blobs
    store.write_step(offered(store, os.urandom(32), ENDED, queued(TimerFired(name="x"))), ended, now=2.0)
    store.add_inputs([(os.urandom(32), RUNNING, queued(TimerFired(name="step")))])
    store.put_value("announced:0xa", b"1")
