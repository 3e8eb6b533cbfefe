"""Every wait ends: who is left ends the training on chain, and what was paid for is delivered or given up."""

from typing import Any

import pytest

from protocol.messages import ModelRequest, StopOrder
from protocol.roles.engine.inputs import EventConfirmed, MessageReceived, TimerFired
from protocol.roles.shared.deadlines import DAY_SECONDS, RETENTION_SECONDS, backed_off
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import body_of, small_data, small_market, small_request, without


def silence(market: PureMarket, *parties: Party) -> None:
    market.silent |= {party.address for party in parties}


def stop(market: PureMarket, party: Party) -> None:
    body = StopOrder(training=1, reason="test")
    market.deliver(party, MessageReceived(signed=market.message(party, party, body)))


def losing_calls(market: PureMarket, name: str, count: int) -> list[str]:
    """Have the market lose the first calls of this name; the list fills with the names of those lost."""
    lost: list[str] = []
    call = market.call

    def lossy(party: Party, asked: Any) -> None:
        if asked.call == name and len(lost) < count:
            lost.append(name)
        else:
            call(party, asked)

    market.call = lossy  # type: ignore[method-assign]
    return lost


# ---- owners that are left alone ----


@pytest.mark.parametrize(
    ("sent", "status", "phase"),
    [("proven_update", "cancelled", "failed"), ("round_completed", "settled", "finished")],
)
def test_owners_end_what_buyer_and_aggregator_leave(sent: str, status: str, phase: str) -> None:
    market = small_market()
    market.run_until(sent)
    silence(market, market.buyer, market.aggregator)
    market.finish()
    assert market.contract.status == status
    assert {owner.phase for owner in market.owners} == {phase}


def test_one_owner_is_enough_to_end_it() -> None:
    market = small_market()
    market.run_until("proven_update")
    silence(market, market.buyer, market.aggregator, *market.owners[:3])
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.owners[3].shown == "FAILED(cancelled)"


@pytest.mark.parametrize("status", ["open", "drawing"])
def test_owners_end_a_training_whose_roles_are_never_drawn(status: str) -> None:
    market = small_market()
    lost = losing_calls(market, "close" if status == "open" else "draw", 1)
    while not lost:
        market.deliver_next()
    assert market.contract.status == status
    assert len(market.contract.seats) == 4
    silence(market, market.buyer, market.aggregator)
    market.finish()
    assert market.contract.status == "cancelled"
    assert {owner.shown for owner in market.owners} == {"FAILED(cancelled)"}


def test_owners_take_turns() -> None:
    """Of many calls at once all but one would pay gas for nothing."""
    market = small_market()
    market.run_until("proven_update")
    silence(market, market.buyer, market.aggregator)
    market.finish()
    assert [sender for sender, call in market.contract.calls if call == "cancel"] == [
        market.contract.seats[0]
    ]


def test_an_invitation_without_an_opening_is_given_up() -> None:
    market = small_market()
    owner = market.owners[0]
    market.pending = [one for one in market.pending if not _opens(one, owner)]
    market.deliver(owner, MessageReceived(signed=market.run_until("invitation", owner)))
    market.now += DAY_SECONDS
    market.fire(owner, "opened")
    assert owner.shown == "FAILED(never_opened)"


def _opens(entry: Any, owner: Party) -> bool:
    return entry[0] == owner.address and isinstance(entry[1], EventConfirmed)


def test_an_owner_that_is_not_invited_waits_no_longer_than_the_joining() -> None:
    market = small_market()
    market.intercept = without("invitation")
    market.finish()
    assert market.contract.status == "cancelled"
    assert not any(owner.timers for owner in market.owners)
    assert {owner.phase for owner in market.owners} == {"failed"}


# ---- the aggregator ----


def test_a_buyer_silent_after_the_opening_gets_its_deposit_back() -> None:
    market = small_market()
    silence(market, market.buyer)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.aggregator.shown == "FAILED(no_request)"


def test_an_opening_for_a_year_without_a_request_takes_no_place_for_long() -> None:
    """Anybody may open trainings: an hour at the aggregator's, a day at owners', whatever the terms say."""
    deadlines = {"join_s": 365 * 86_400, "reveal_s": 600, "step_s": 60, "chain_s": 300}
    market = small_market(small_request(deadlines=deadlines))
    silence(market, market.buyer)
    market.run()
    opened_at = market.now
    while market.aggregator.shown != "FAILED(no_request)":
        assert market.tick()
        market.run()
    assert market.now == opened_at + 3600
    assert not market.aggregator.timers
    [notice] = market.sent("training_failed")
    assert (notice.envelope.recipient, body_of(notice).code) == (market.buyer.address, "no_request")
    market.finish()
    assert {owner.shown for owner in market.owners} == {"FAILED(expired)"}
    assert market.now < opened_at + 86_400 + 600
    assert market.contract.status == "open", "its buyer may have the deposit back, others after the year"


def test_a_request_may_come_late_in_an_hour() -> None:
    market = small_market(
        small_request(deadlines={"join_s": 7200, "reveal_s": 600, "step_s": 60, "chain_s": 300})
    )
    request = market.run_until("training_request")
    market.now += 3599
    market.post(request)
    market.finish()
    assert market.buyer.shown == "FINISHED"


def test_a_request_without_an_opening_is_given_up() -> None:
    market = small_market()
    aggregator = market.aggregator
    market.pending = [one for one in market.pending if not _opens(one, aggregator)]
    market.deliver(aggregator, MessageReceived(signed=market.run_until("training_request")))
    market.fire(aggregator, "opened")
    assert aggregator.shown == "FAILED(never_opened)"


@pytest.mark.parametrize("call", ["close", "draw", "settle"])
def test_a_call_that_had_no_effect_is_made_again(call: str) -> None:
    market = small_market()
    lost = losing_calls(market, call, 2)
    market.finish()
    assert lost == [call] * 2
    assert market.buyer.shown == market.aggregator.shown == "FINISHED"


def test_a_cancelling_that_had_no_effect_is_made_again() -> None:
    market = small_market(data=small_data(owners=3))
    lost = losing_calls(market, "cancel", 3)
    market.finish()
    assert len(lost) == 3
    assert market.contract.status == "cancelled"


def test_a_record_that_never_appears_ends_the_training() -> None:
    market = small_market()
    lost = losing_calls(market, "record_round", 1_000)
    market.finish()
    assert len(lost) > 1  # buyer and validators try as well
    assert market.contract.status == "cancelled"
    assert market.aggregator.shown == "FAILED(round_not_recorded)"


@pytest.mark.parametrize("sent", ["invitation", "invitation_answer"])
def test_an_aggregator_stopped_before_the_start(sent: str) -> None:
    market = small_market()
    market.run_until(sent)
    stop(market, market.aggregator)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.aggregator.shown == "FAILED(stopped_by_aggregator)"
    assert market.buyer.shown == "FAILED(stopped_by_aggregator)"


@pytest.mark.parametrize("status", ["open", "drawing"])
def test_an_aggregator_stopped_with_all_seats_taken_and_no_buyer(status: str) -> None:
    market = small_market()
    lost = losing_calls(market, "close" if status == "open" else "draw", 1)
    while not lost:
        market.deliver_next()
    stop(market, market.aggregator)
    silence(market, market.buyer, *market.owners)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.aggregator.phase == "failed"


def test_an_owner_that_answers_after_the_start_is_told_so() -> None:
    market = small_market(data=small_data(owners=5), validators=[0, 1])
    late = market.owners[4]
    market.intercept = without("checked_ready", sender=late)
    while market.aggregator.phase != "training":
        if market.pending:
            market.deliver_next()
        else:
            assert market.tick()
    [answer] = [one for one in market.sent("checked_ready") if one.envelope.sender == late.address]
    market.deliver(market.aggregator, MessageReceived(signed=answer))
    told = [m for m in market.sent("participant_dropped") if m.envelope.recipient == late.address]
    assert {body_of(m).participant for m in told} == {late.address}
    assert [body_of(m).code for m in told] == ["no_row_count", "answered_too_late"]


def test_an_owner_whose_answer_is_lost_is_left_out_and_accuses_nobody() -> None:
    market = small_market(data=small_data(owners=5), validators=[3, 4])
    lost = market.owners[0]
    market.intercept = without("checked_ready", sender=lost)
    market.finish()
    assert market.buyer.shown == lost.shown == "FINISHED"
    assert "left_out" in {fact.name for fact in lost.facts}
    assert not lost.violations
    seat = market.contract.seats.index(lost.address)
    assert not any(event.record.trainers >> seat & 1 for event in market.contract.recorded)


# ---- the model ----


def test_a_lost_receipt_is_asked_for_again() -> None:
    market = small_market()
    lost = []

    def intercept(message: Any) -> Any:
        if message.envelope.type == "model_received" and len(lost) < 2:
            lost.append(message)
            return ()
        return (message,)

    market.intercept = intercept
    market.finish()
    assert market.aggregator.shown == "FINISHED"
    assert len(market.sent("trained_model")) == 3
    assert market.buyer.kept == ["model"]


def test_without_a_receipt_the_aggregator_keeps_the_model_for_thirty_days() -> None:
    market = small_market()
    market.intercept = without("model_received")
    market.finish()
    assert market.aggregator.shown == "FINISHED"
    assert market.now >= RETENTION_SECONDS
    assert not market.aggregator.blobs
    assert {fact.name for fact in market.aggregator.facts} >= {"model_not_confirmed"}


def test_an_aggregator_that_dies_after_the_settlement_costs_no_model() -> None:
    market = small_market()
    while market.contract.status != "settled":
        market.deliver_next()
    silence(market, market.aggregator)
    market.finish()
    assert market.buyer.shown == "FINISHED"
    assert not [m for m in market.sent("trained_model") if m.envelope.sender == market.aggregator.address]


def test_a_model_that_nobody_delivers_is_given_up_after_thirty_days() -> None:
    market = small_market()
    market.intercept = without("trained_model")
    market.finish()
    assert market.buyer.shown == "FAILED(model_not_delivered)"
    assert RETENTION_SECONDS <= market.now < RETENTION_SECONDS + 2 * DAY_SECONDS


def test_a_validator_keeps_the_model_for_thirty_days() -> None:
    market = small_market()
    market.finish()
    validator = market.validators()[0]
    question = market.message(market.buyer, validator, ModelRequest())
    market.deliver(validator, MessageReceived(signed=question))
    assert market.sent("trained_model")[-1].envelope.sender == validator.address
    market.deliver(validator, TimerFired(name="retention"))
    assert not validator.blobs
    again = market.message(market.buyer, validator, ModelRequest())
    market.deliver(validator, MessageReceived(signed=again))
    assert [body_of(message).code for message in market.sent("model_refused")] == ["no_model_here"]


def test_waits_double_up_to_a_day() -> None:
    assert [backed_off(60, n) for n in (0, 1, 2)] == [60, 120, 240]
    assert backed_off(60, 1000) == DAY_SECONDS
