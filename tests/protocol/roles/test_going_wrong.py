"""Silence, stops and losses: every training ends, and a model is delivered only for the signed last round."""

from collections.abc import Sequence

import pytest

from protocol.envelope import SignedMessage
from protocol.marketplace import Cancel
from protocol.messages import StopOrder
from protocol.roles.engine.inputs import UNKNOWN_TRAINING, CallRefused, MessageReceived
from tests.support.roles.plain_market import assert_model_of_twin
from tests.support.roles.pure_market import ENDED, PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import losing, refusal, small_market, without


def stop(market: PureMarket, party: Party) -> None:
    body = StopOrder(training=1, reason="test")
    market.deliver(party, MessageReceived(signed=market.message(party, party, body)))


# ---- the buyer ----


@pytest.mark.parametrize("lost", ["moment_answer", "opening"])
@pytest.mark.parametrize("round_number", [1, 2])
def test_a_silent_buyer_gets_no_model_and_pays_for_what_was_recorded(lost: str, round_number: int) -> None:
    market = small_market()

    def intercept(message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type == lost and message.envelope.round == round_number:
            market.silent.add(market.buyer.address)
            return ()
        return (message,)

    market.intercept = intercept
    market.finish()
    assert market.contract.status == ("settled" if market.contract.recorded else "cancelled")
    # A refresh is asked for one round ahead, so round 1 may still be under way when round 2's is refused.
    assert len(market.contract.recorded) < round_number
    assert market.aggregator.shown == "FAILED(buyer_silent)"
    assert {fact.data["code"] for fact in market.aggregator.facts if fact.name == "gave_up"} == {
        "buyer_silent"
    }
    assert not market.sent("trained_model")


def test_without_the_buyers_signature_on_the_last_round_there_is_no_model() -> None:
    market = small_market()
    market.intercept = losing(lambda m: m.envelope.type == "opening" and m.envelope.round == 2)
    market.finish()
    assert market.contract.status == "settled"
    assert len(market.contract.recorded) == 1
    assert not market.buyer.results
    assert not market.sent("trained_model")


def test_a_stopped_buyer_falls_silent_and_what_was_recorded_is_settled() -> None:
    market = small_market()
    market.run_until("metric_opening_request")
    stop(market, market.buyer)
    before = len(market.wire)
    market.finish()
    assert market.contract.ended
    assert market.buyer.shown == "FAILED(stopped_by_buyer)"
    assert not [m for m in market.wire[before:] if m.envelope.sender == market.buyer.address]


@pytest.mark.parametrize("last", [False, True])
def test_a_training_whose_records_were_taken_back_is_cancelled(last: bool) -> None:
    """A reorganisation deeper than the confirmations: nothing is recorded any more, and all believe it is."""
    market = small_market()
    if not last:
        market.intercept = losing(lambda m: m.envelope.type == "opening" and m.envelope.round == 2)
    recorded = 2 if last else 1
    while len(market.contract.recorded) < recorded:
        market.deliver_next()
    refuse = market.contract.apply

    def taken_back(sender: str, call: object) -> list[object]:
        market.contract.recorded.clear()
        return refuse(sender, call)

    market.contract.apply = taken_back  # type: ignore[method-assign]
    market.finish()
    assert market.contract.status == "cancelled"
    assert all(party.phase in ENDED for party in market.parties.values())
    assert not market.buyer.results


def test_a_buyer_stops_before_the_start() -> None:
    market = small_market()
    market.run_until("invitation")
    stop(market, market.buyer)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == "FAILED(stopped_by_buyer)"


def test_only_the_operator_stops() -> None:
    market = small_market()
    market.run_until("metric_opening_request")
    for party in (market.buyer, market.aggregator):
        order = market.message(market.owners[0], party, StopOrder(training=1, reason="test"))
        assert refusal(market, party, order) == "wrong_sender"


# ---- the aggregator ----


def test_an_aggregator_silent_from_the_start_costs_nothing() -> None:
    market = small_market()
    market.silent.add(market.aggregator.address)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == "FAILED(aggregator_silent)"


@pytest.mark.parametrize("sent", ["invitation", "invitation_answer"])
def test_an_aggregator_silent_while_owners_join(sent: str) -> None:
    market = small_market()
    market.run_until(sent)
    market.silent.add(market.aggregator.address)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.phase == "failed"


def test_an_aggregator_silent_between_close_and_draw() -> None:
    market = small_market()
    while market.contract.status != "drawing":
        market.deliver_next()
    market.silent.add(market.aggregator.address)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.phase == "failed"


@pytest.mark.parametrize(
    ("sent", "status", "phase"),
    [("proven_update", "cancelled", "failed"), ("round_completed", "settled", "finished")],
)
def test_when_the_aggregator_falls_silent_the_buyer_ends_the_training(
    sent: str, status: str, phase: str
) -> None:
    market = small_market()
    market.run_until(sent)
    market.silent.add(market.aggregator.address)
    market.finish()
    assert market.contract.status == status
    assert market.buyer.phase == phase
    assert bool(market.buyer.results) == (phase == "finished")


def test_a_validator_serves_the_model_when_the_aggregator_does_not() -> None:
    market = small_market()
    first, second = market.owners[2], market.owners[3]
    market.intercept = losing(
        lambda m: (
            m.envelope.type == "trained_model"
            and m.envelope.sender in (market.aggregator.address, first.address)
        )
    )
    market.finish()
    asked = [m.envelope.recipient for m in market.sent("model_request")]
    assert asked == [first.address, second.address]
    assert market.buyer.shown == "FINISHED"
    assert market.aggregator.shown == "FINISHED"
    assert_model_of_twin(market)


def test_validators_are_asked_in_turn() -> None:
    market = small_market()
    market.intercept = without("trained_model")
    market.finish(ticks=12)
    asked = [m.envelope.recipient for m in market.sent("model_request")]
    both = [market.owners[2].address, market.owners[3].address]
    assert asked[:4] == both * 2
    assert len({m.envelope.message_id for m in market.sent("model_request")}) == len(asked)


def test_an_aggregators_operator_stops_at_the_last_recorded_round() -> None:
    market = small_market()
    market.run_until("round_completed")
    stop(market, market.aggregator)
    market.finish()
    assert market.contract.status == "settled"
    assert len(market.contract.recorded) == 1
    assert market.aggregator.shown == "FAILED(stopped_by_aggregator)"
    assert market.buyer.shown == "FINISHED"
    assert_model_of_twin(market)


def test_a_record_that_the_contract_refuses_ends_the_training() -> None:
    market = small_market()
    market.post(market.run_until("round_signature"))
    market.contract.status = "refusing"
    market.run()
    assert market.aggregator.phase == "ending"
    assert [f.data["code"] for f in market.aggregator.facts if f.name == "gave_up"] == ["record_wrong_status"]


# ---- the chain ----


@pytest.mark.parametrize("party", ["buyer", "aggregator", "owner"])
def test_a_training_that_left_the_chain_is_over_for_everybody(party: str) -> None:
    market = small_market()
    market.run_until("proven_update")
    one = market.owners[0] if party == "owner" else getattr(market, party)
    gone = CallRefused(call=Cancel(training=1), code=UNKNOWN_TRAINING)
    market.deliver(one, gone)
    assert one.shown == "FAILED(not_on_chain)"
    assert not one.results
