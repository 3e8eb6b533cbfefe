"""What a buyer does when the unlikely happens: late openings, complaints, a training that is gone."""

import pytest

from protocol.marketplace import Cancel
from protocol.messages import Complaint, StopOrder
from protocol.roles.engine.inputs import UNKNOWN_TRAINING, CallRefused, MessageReceived, TimerFired
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import small_market


def buyer_in(phase: str) -> PureMarket:
    """A market whose buyer has just come to this phase."""
    market = small_market()
    while market.buyer.phase != phase:
        market.deliver_next()
    return market


def test_an_opening_that_the_chain_does_not_show_is_waited_for() -> None:
    market = buyer_in("ordered")
    market.fire(market.buyer, "open")
    assert market.buyer.phase == "ordered"
    assert [fact.name for fact in market.buyer.facts] == ["opening_late"]
    assert market.buyer.timers["open"] >= market.now + 3600


def test_the_wait_for_an_answer_is_over_once_it_is_there() -> None:
    market = buyer_in("opened")
    answer = market.run_until("request_answer", market.buyer)
    market.deliver(market.buyer, MessageReceived(signed=answer))
    before = market.buyer.state
    market.deliver(market.buyer, TimerFired(name="answer"))
    assert market.buyer.state == before
    assert market.buyer.facts[-1].data == {"phase": "opened", "input": "timer:answer"}


def test_nobody_has_joined_when_the_joining_is_over() -> None:
    market = buyer_in("opened")
    market.fire(market.buyer, "join")
    assert market.buyer.phase == "opened"
    assert market.buyer.decoded.failure == "not_enough_owners"
    assert "join" in market.buyer.timers


@pytest.mark.parametrize("phase", ["opened", "initiated"])
def test_an_operator_that_stops_before_the_start_gets_the_deposit_back(phase: str) -> None:
    market = buyer_in(phase)
    order = market.message(market.buyer, market.buyer, StopOrder(training=1, reason="test"))
    market.deliver(market.buyer, MessageReceived(signed=order))
    assert (market.buyer.phase, market.buyer.decoded.stopped) == (phase, True)
    market.finish()
    assert market.buyer.shown == "FAILED(stopped_by_buyer)"
    assert market.contract.status == "cancelled"


@pytest.mark.parametrize("phase", ["opened", "initiated", "running"])
def test_a_training_that_a_reorganisation_took_back(phase: str) -> None:
    market = buyer_in(phase)
    gone = CallRefused(call=Cancel(training=1), code=UNKNOWN_TRAINING)
    market.deliver(market.buyer, gone)
    assert market.buyer.shown == "FAILED(not_on_chain)"
    assert market.buyer.facts[-1].name == "not_on_chain"
    assert not {"answer", "join", "stalled"} & market.buyer.timers.keys()


def test_a_complaint_is_a_fact_and_changes_nothing() -> None:
    market = buyer_in("running")
    before = market.buyer.state
    complaint = Complaint(code="bad_opening", accused=market.owners[0].address, evidence=())
    signed = market.message(market.aggregator, market.buyer, complaint)
    market.deliver(market.buyer, MessageReceived(signed=signed))
    assert market.buyer.state == before
    told = {"accused": complaint.accused, "round": 0, "code": "bad_opening"}
    assert (market.buyer.facts[-1].name, market.buyer.facts[-1].data) == ("complaint", told)
