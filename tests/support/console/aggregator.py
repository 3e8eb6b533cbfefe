"""An aggregator's trainings, as its daemon would have left them."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from protocol.marketplace import Opened
from protocol.roles.aggregator.attempts import Exchange, ProvenRound, Question
from protocol.roles.aggregator.lanes import Answer, DistributedLane, TrainedRound
from protocol.roles.aggregator.role import FINAL, display_status
from protocol.roles.engine.state import BlobRef
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.transcript import TranscriptHead
from services.store import Store
from tests.support.console.trainings import BUYER, OWNERS
from tests.support.database.stores import offered, writes
from tests.support.deployment.documents import KEY_ID, RECORD, any_request
from tests.support.roles.states import state_of, stored

KEPT = BlobRef(digest=b"d" * 32)
QUESTION = Question(request=KEPT, mask=KEPT)
PARTIES = Parties(seats=tuple(OWNERS), trainers=0b00111, validators=0b11000)


def answers(*seats):
    return tuple(Answer(owner=OWNERS[seat], message=KEPT) for seat in seats)


def in_training(round_number, *answered, kind=DistributedLane, **fields):
    return kind(
        round=round_number,
        trainers=0b111,
        start_model=KEPT,
        start_digest=b"d" * 32,
        updates=answers(*answered),
        **fields,
    )


def trained_round(round_number, kind, **fields):
    return kind(
        round=round_number,
        trainers=0b111,
        start_model=KEPT,
        updates=(),
        refreshed_model=KEPT,
        refreshed_digest=b"d" * 32,
        **fields,
    )


def measured(round_number, kind, *, metrics=(), **fields):
    trained = trained_round(round_number, TrainedRound)
    return kind(trained=trained, attempt=2, validators=0b11000, metrics=answers(*metrics), **fields)


def proven(round_number, kind, **fields):
    """A step before the buyer's opening: the round keeps what it was proven with."""
    exchange = Exchange(request=KEPT, mask=KEPT, answer=KEPT)
    trained = trained_round(round_number, ProvenRound, exchange=exchange, blinding=KEPT)
    return kind(trained=trained, attempt=2, validators=0b11000, **fields)


def signed_by(*seats):
    signatures = tuple((OWNERS[seat], b"s" * 65) for seat in seats)
    return {"record": RECORD, "buyer_signature": b"b" * 65, "signatures": signatures}


def put(
    store: Store,
    *,
    training: int = 1,
    facts: Sequence[tuple[str, Mapping[str, Any]]] = (),
    timers: Mapping[str, float] | None = None,
    **fields: Any,
) -> None:
    """Write an aggregator's state for a training."""
    request = any_request()
    opened = Opened(
        training=training,
        buyer=BUYER,
        aggregator=request.aggregator,
        deposit=request.payment.deposit_wei,
        terms=request.terms(KEY_ID),
    )
    values = {
        "phase": "training",
        "training": training,
        "opened": opened,
        "request": request,
        "parties": PARTIES,
        "n": 15,
        "blinding_seed": b"",
        "ends_at": 0.0,
        "owners": KEPT,
        "link": TranscriptHead(model_digest=b"d" * 32, transcript=b"t" * 32),
        "next_model": KEPT,
    }
    state = state_of("federated_aggregator", **{**values, **fields})
    done = writes(
        training=training,
        state=stored(state),
        display_status=display_status(state),
        finished=state.phase in FINAL,
        facts=list(facts),
        timers=timers or {},
    )
    store.write_step(offered(store, os.urandom(32), str(training)), done, 1000.0)
