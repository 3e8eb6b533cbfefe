"""A training's story out of the chain's events; pay so far to the wei."""

from typing import Any

import pytest

from protocol.marketplace import (
    Credited,
    MarketplaceEvent,
    Opened,
    RolesDrawn,
    RoundRecorded,
    Settled,
)
from protocol.request import Request
from services.records.chain_facts import record_key, record_of
from services.records.chain_history import chain_story, contributions, earned
from services.store import Store
from tests.support.daemons.service_world import event_of
from tests.support.deployment.documents import KEY_ID, RECORD, any_request
from tests.support.roles.pay import recomputed
from tests.support.seats import seat_taken

BUYER = "0x" + "b0" * 20
OWNERS = [f"0x{seat:040x}" for seat in range(1, 6)]
FULL = 10**21


def request_of(rounds: int = 3) -> Request:
    return any_request(schedule={"rounds": rounds, "step_size": 1}, payment={"deposit_wei": 10**18 + 7})


def recorded(number: int, before: int, after: int, *, last: bool = False, **changes: Any) -> RoundRecorded:
    record = RECORD.model_copy(update={"round": number, "mse_before": before, "last": last})
    weights = {"shapley": (before - after + 5, -3, -2), "pay_weights": (before - after, 0, 0)}
    return RoundRecorded(training=1, round=number, record=record, mse_after=after, **{**weights, **changes})


def events_of(request: Request, *rounds: RoundRecorded) -> list[MarketplaceEvent]:
    opened = Opened(
        training=1,
        buyer=BUYER,
        aggregator=request.aggregator,
        deposit=request.payment.deposit_wei,
        terms=request.terms(KEY_ID),
    )
    joined = [seat_taken(training=1, owner=owner, seat=seat) for seat, owner in enumerate(OWNERS)]
    return [opened, *joined, RolesDrawn(training=1, trainers=0b111, validators=0b11000), *rounds]


def store_of(events: list[MarketplaceEvent]) -> Store:
    store = Store()
    for number, event in enumerate(events):
        store.note_once(record_key(1), *record_of(event_of(event, number + 1)), float(number))
    return store


def test_a_training_that_is_not_opened_has_no_story():
    assert chain_story(Store(), None).transactions == []


def test_the_story_names_parties_rounds_and_transactions():
    request = request_of()
    story = chain_story(store_of(events_of(request, recorded(1, FULL, FULL // 2))), 1)
    assert story.trainers == tuple(OWNERS[:3])
    assert story.validators == tuple(OWNERS[3:])
    (one,) = story.rounds
    assert (one.number, one.mse_before, one.mse_after) == (1, FULL, FULL // 2)
    assert story.improvement(request) == pytest.approx(0.5)
    assert [one.event for one in story.transactions][-2:] == ["RolesDrawn", "RoundRecorded"]
    assert contributions(story.rounds) == {OWNERS[0]: FULL // 2 + 5, OWNERS[1]: -3, OWNERS[2]: -2}


@pytest.mark.parametrize("last", [False, True])
def test_pay_so_far_is_what_the_contract_would_divide(last):
    request = request_of()
    events = events_of(
        request,
        recorded(1, FULL, FULL - 7, pay_weights=(3, 4, 0)),
        recorded(2, FULL - 7, FULL // 3, last=last),
    )
    expected = recomputed(events)
    del expected[BUYER, "refund"]
    assert earned(request, chain_story(store_of(events), 1).rounds) == expected


def test_nothing_recorded_earns_nothing_and_a_worse_model_no_contribution():
    request = request_of()
    assert earned(request, []).total() == 0
    worse = chain_story(store_of(events_of(request, recorded(1, FULL, 2 * FULL, pay_weights=(0, 0, 0)))), 1)
    assert worse.improvement(request) == 0
    assert not any(share == "contribution" for _who, share in earned(request, worse.rounds))


def test_a_settled_training_shows_what_was_credited():
    request = request_of()
    events = events_of(request, recorded(1, FULL, FULL // 2, last=True))
    events += [
        Credited(training=1, account=OWNERS[0], share="contribution", amount=5),
        Credited(training=1, account=BUYER, share="refund", amount=9),
        Settled(training=1, improvement=10**17, paid=5, refund=9),
    ]
    story = chain_story(store_of(events), 1)
    assert story.credited == {(OWNERS[0], "contribution"): 5, (BUYER, "refund"): 9}
    assert story.improvement(request) == pytest.approx(0.1)
