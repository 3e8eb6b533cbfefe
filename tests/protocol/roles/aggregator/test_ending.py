"""Given up, or ended by others: whatever the chain still confirms counts."""

from protocol.marketplace import Cancel, Closed, Settle
from protocol.messages import StopOrder
from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.plain_market import assert_model_of_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import small_market


def stop(market: PureMarket) -> None:
    """Have the aggregator's operator stop the training."""
    order = market.message(market.aggregator, market.aggregator, StopOrder(training=1, reason="test"))
    market.deliver(market.aggregator, MessageReceived(signed=order))
    assert market.aggregator.phase == "ending"


def test_a_last_round_under_way_when_the_training_was_given_up_is_delivered_after_all() -> None:
    market = small_market()
    while len(market.contract.recorded) < 2:
        market.deliver_next()
    stop(market)
    market.finish()
    assert market.contract.status == "settled"
    assert market.aggregator.shown == "FINISHED"
    assert market.aggregator.decoded.failure == "stopped_by_aggregator"
    assert_model_of_twin(market)


def test_an_earlier_round_under_way_when_the_training_was_given_up_is_settled() -> None:
    market = small_market()
    while not market.contract.recorded:
        market.deliver_next()
    stop(market)
    market.finish()
    assert market.contract.status == "settled"
    assert market.aggregator.decoded.recorded == 1
    assert market.aggregator.shown == "FAILED(stopped_by_aggregator)"


def test_roles_drawn_after_the_training_was_given_up_start_nothing() -> None:
    market = small_market()
    while market.contract.status != "running":
        market.deliver_next()
    stop(market)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.aggregator.decoded.parties.trainers
    assert not market.sent("checked_started")


def test_an_ending_training_is_left_its_time_to_reveal() -> None:
    """The aggregator gave up while owners joined, and somebody closed the joining all the same."""
    market = small_market()
    while market.contract.status != "open" or market.aggregator.phase != "inviting":
        market.deliver_next()
    stop(market)
    market.deliver(market.aggregator, market.event_input(Closed(training=1, draw_block=2)))
    terms = market.request.terms(b"k" * 32)
    late = terms.reveal_seconds + terms.round_seconds + terms.round_seconds // 4
    assert market.aggregator.timers["end"] == market.now + late + 1


def test_a_training_that_others_settle_early_ends_without_a_model() -> None:
    market = small_market()
    market.run_until("round_completed")
    market.now = market.contract.ends_at
    market.call(market.owners[0], Settle(training=1))
    market.finish()
    assert market.aggregator.shown == "FAILED(stopped_early)"
    assert (market.aggregator.address, "withdraw") in market.contract.calls
    assert not market.sent("trained_model")


def test_a_training_cancelled_before_its_request_came() -> None:
    market = small_market()
    market.run_until("training_request")
    market.call(market.buyer, Cancel(training=1))
    market.finish()
    assert market.aggregator.shown == "FAILED(cancelled)"
    assert not market.sent("invitation")
