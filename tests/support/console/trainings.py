"""Trainings in a buyer's store, as its daemon would have written them."""

import os
from typing import Any

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.codec import pack
from protocol.crypto.cipher import PublicKey
from protocol.learning.inference.estimates import Inference
from protocol.learning.scores.classification import ClassificationScores
from protocol.marketplace import (
    Credited,
    MarketplaceEvent,
    Opened,
    RolesDrawn,
    RoundRecorded,
    Settled,
)
from protocol.request import Request
from protocol.roles.buyer.role import FINAL, display_status
from protocol.roles.engine.state import PhaseState
from protocol.roles.shared.applications import Application
from protocol.roles.shared.transcript import TranscriptHead
from services.data.own_scores import OwnScores
from services.records.chain_facts import record_key, record_of
from services.store import Store
from tests.support.daemons.service_world import event_of
from tests.support.database.stores import offered, writes
from tests.support.deployment.documents import RECORD, any_request
from tests.support.roles.states import state_of, stored
from tests.support.seats import seat_taken

BUYER = "0x" + "b1" * 20
OWNERS = [f"0x{seat:040x}" for seat in range(0xA1, 0xA6)]
FIRST = 6000 * 10**18
KEY = 15
"""A modulus; nothing is encrypted here."""


def tell(store: Store, training: int, *events: MarketplaceEvent) -> None:
    """What the chain says, noted as the daemon does."""
    for event in events:
        number = len(store.facts(record_key(training))) + 1
        store.note_once(record_key(training), *record_of(event_of(event, number)), 1_700_000_000.0 + number)


def put(store: Store, key: str, request: Request, **state: Any) -> PhaseState:
    """Write a buyer's state for a training."""
    link = TranscriptHead(model_digest=request.hash(), transcript=request.hash())
    usual = {"phase": "ordered", "link": link, "submitted": True, "recorded_model": request.hash()}
    values = state_of("model_buyer", **{"request": request, "n": KEY, **usual, **state})
    facts = [("opened", {"training": values.training})] if values.training is not None else []
    done = writes(
        training=values.training,
        state=stored(values),
        display_status=display_status(values),
        finished=values.phase in FINAL,
        facts=facts,
    )
    store.write_step(offered(store, os.urandom(32), key), done, 1_700_000_000.0)
    return values


def round_of(training: int, number: int, *, last: bool = False) -> RoundRecorded:
    """A round that takes a tenth off the error; the third trainer makes it worse."""
    before, after = (FIRST * 9 ** (number - 1 + ahead) // 10 ** (number - 1 + ahead) for ahead in (0, 1))
    record = RECORD.model_copy(
        update={"training": training, "round": number, "mse_before": before, "last": last}
    )
    gained = before - after
    return RoundRecorded(
        training=training,
        round=number,
        record=record,
        mse_after=after,
        shapley=(gained, gained // 2, -gained // 2),
        pay_weights=(2 * gained // 3, gained - 2 * gained // 3, 0),
    )


def running_training(
    store: Store, *, training: int = 1, rounds: int = 3, paid_for: bytes | None = None, **request: Any
) -> str:
    """A training with some rounds recorded, opened under its key or that of another id; returns its key."""
    wanted, key = any_request(**{"scale": "none", **request}), f"order:{training:032x}"
    opened = Opened(
        training=training,
        buyer=BUYER,
        aggregator=wanted.aggregator,
        deposit=wanted.payment.deposit_wei,
        terms=wanted.terms(PublicKey(KEY).key_id if paid_for is None else paid_for),
    )
    joined = [seat_taken(training=training, owner=owner, seat=seat) for seat, owner in enumerate(OWNERS)]
    drawn = RolesDrawn(training=training, trainers=0b00111, validators=0b11000)
    recorded = [round_of(training, number + 1) for number in range(rounds)]
    put(store, key, wanted, phase="running", training=training, recorded=rounds)
    tell(store, training, opened, *joined, drawn, *recorded)
    return key


def finished_training(
    store: Store, *, training: int = 1, inference: Inference | None = None, **request: Any
) -> str:
    """A training that has ended with a model, and this beside it; returns its key."""
    key = running_training(store, training=training, **request)
    wanted = any_request(**{"scale": "none", **request})
    put(store, key, wanted, phase="finished", training=training, recorded=3)
    credited = [
        Credited(training=training, account=OWNERS[0], share="contribution", amount=3 * 10**17),
        Credited(training=training, account=BUYER, share="refund", amount=7 * 10**17),
    ]
    settled = Settled(training=training, improvement=271 * 10**15, paid=3 * 10**17, refund=7 * 10**17)
    tell(store, training, *credited, settled)
    model = BoughtModel.of(wanted, [1.25, -2.5, 152.125] * len(wanted.outputs))
    item = offered(store, os.urandom(32), key)
    row = store.instance(key)
    done = writes(
        training=training,
        state=row.state,
        display_status="FINISHED",
        finished=True,
        results={"model": pack(model), **({} if inference is None else {"inference": pack(inference)})},
    )
    store.write_step(item, done, 1_700_000_100.0)
    return key


def given_up_training(store: Store, *, training: int = 1, **request: Any) -> str:
    """Given up in its second round: a checker lied twice, and the aggregator showed two versions."""
    key, accused, aggregator = f"order:{training}", OWNERS[3], any_request().aggregator
    asked = any_request(scale="none", **request)
    put(store, key, asked, phase="failed", training=training, failure="too_few_validators")
    joined = [seat_taken(training=training, owner=one, seat=seat) for seat, one in enumerate(OWNERS)]
    drawn = RolesDrawn(training=training, trainers=0b00111, validators=0b11000)
    settled = Settled(training=training, improvement=0, paid=0, refund=1)
    tell(store, training, *joined, drawn, round_of(training, 1), settled)
    second = {"round": 2, "attempt": 1}
    end = {"code": "too_few_validators", "last_round": 1, "accused": accused, "silent": OWNERS[4:]}
    told = (
        ("check_failed", {"checker": accused, "code": "products_contested", **second}),
        ("dropped", {"participant": OWNERS[4], "code": "ring_late", **second}),
        ("attempt_over", {"code": "contested", **second}),
        ("check_failed", {"checker": accused, "round": 2, "attempt": 2, "code": "next_model_contested"}),
        ("named", {"accused": aggregator, "code": "two_versions", "round": 2, "attempt": 2}),
        ("dropped", {"participant": accused, "code": "false_complaint", "round": 2, "attempt": 2}),
        ("gave_up", end),
    )
    for number, fact in enumerate(told):
        store.note(key, fact, 1_700_000_100.0 + number)
    return key


def asking_training(store: Store, *, training: int = 1, **state: Any) -> str:
    """A training that one owner is admitted to, and that another would join; returns its key."""
    wanted, key = any_request(scale="none"), f"order:{training:032x}"
    told = {"card": b"\xc1" * 32, "committed": b"\xc4" * 32}
    asked = (
        Application(owner=OWNERS[0], commitment=b"\xc2" * 32, code="admitted", **told),
        Application(owner=OWNERS[1], commitment=b"\xc3" * 32, **told),
    )
    put(store, key, wanted, **{"phase": "opened", "training": training, "applications": asked, **state})
    return key


def _class_scores() -> OwnScores:
    generator = np.random.default_rng(3)
    predicted = generator.random(1200)
    scores = ClassificationScores()
    scores.add((generator.random(1200) < predicted).astype(float), predicted)
    return OwnScores(at=1_750_000_000.0, rows=1200, figures=dict(scores.figures()), outside={"age": 7})


CLASS_SCORES = _class_scores()
"""Of 1200 rows of a buyer's own: an accuracy of some three quarters, calibrated."""
