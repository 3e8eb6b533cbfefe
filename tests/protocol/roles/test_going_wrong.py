"""Silence, stops and losses: every training ends, and a model is delivered only for the signed last round."""

from collections.abc import Callable, Sequence

import pytest

from protocol.envelope import SignedMessage
from protocol.messages import StopOrder
from protocol.roles.inputs import MessageReceived
from tests.support.plain_market import bought_weights, plain_twin
from tests.support.pure_market import PureMarket
from tests.support.pure_party import Party
from tests.support.small_markets import body_of, refusal, small_data, small_market, without


def five_owners(validators: list[int] | None = None) -> PureMarket:
    return small_market(data=small_data(owners=5), validators=validators or [2, 3, 4])


def stop(market: PureMarket, party: Party) -> None:
    body = StopOrder(training=1, reason="test")
    market.deliver(party, MessageReceived(signed=market.message(party, party, body)))


def losing(condition: Callable[[SignedMessage], bool]) -> Callable[[SignedMessage], Sequence[SignedMessage]]:
    return lambda message: () if condition(message) else (message,)


def assert_model_of_twin(market: PureMarket) -> None:
    assert bought_weights(market) == pytest.approx(plain_twin(market).averaging.models[-1], abs=1e-6)


# ---- trainers and validators ----


def test_a_silent_trainer_is_dropped_for_the_round_and_may_return() -> None:
    market = five_owners(validators=[3, 4])
    silent = market.owners[0].address
    market.intercept = losing(
        lambda m: (
            m.envelope.type == "gradient_update" and m.envelope.sender == silent and m.envelope.round == 1
        )
    )
    market.finish()
    seat = market.contract.seats.index(silent)
    assert [event.record.trainers >> seat & 1 for event in market.contract.recorded] == [0, 1]
    notices = market.sent("participant_dropped")
    assert {(body_of(n).participant, body_of(n).from_round, body_of(n).code) for n in notices} == {
        (silent, 1, "update_late")
    }
    assert len(notices) == 6
    assert market.buyer.shown == "FINISHED"


def test_too_few_trainers_end_the_training() -> None:
    market = small_market()
    market.intercept = losing(
        lambda m: (
            m.envelope.type == "gradient_update"
            and m.envelope.sender == market.owners[0].address
            and m.envelope.round == 2
        )
    )
    market.finish()
    assert market.contract.status == "settled"
    assert len(market.contract.recorded) == 1
    assert market.buyer.shown == "FAILED(too_few_trainers)"
    assert not market.buyer.results
    assert not market.sent("trained_model")
    # The training was given up: no further round may start behind the notice.
    assert max(message.envelope.round for message in market.sent("encrypted_model")) == 2


def test_a_silent_validator_means_a_next_attempt_without_it() -> None:
    market = five_owners()
    silent = market.owners[2]
    market.intercept = without("encrypted_metric", sender=silent)
    market.finish()
    assert_model_of_twin_after_drop(market, silent)
    attempts = {(m.envelope.round, m.envelope.attempt) for m in market.sent("opening_request")}
    assert attempts == {(1, 2), (2, 1)}
    assert {m.envelope.attempt for m in market.sent("noisy_metric") if m.envelope.round == 1} == {1, 2}


def assert_model_of_twin_after_drop(market: PureMarket, silent: Party) -> None:
    seat = market.contract.seats.index(silent.address)
    assert all(not event.record.validators >> seat & 1 for event in market.contract.recorded)
    market.contract.validators &= ~(1 << seat)
    twin = plain_twin(market)
    assert bought_weights(market) == pytest.approx(twin.averaging.models[-1], abs=1e-6)
    for event, plain in zip(market.contract.recorded, twin.metrics, strict=True):
        assert event.mse_after / 10**18 == pytest.approx(plain.after, rel=1e-5)


def test_every_attempt_draws_fresh_masks() -> None:
    market = five_owners()
    market.intercept = without("encrypted_metric", sender=market.owners[2])
    market.finish()
    masked = [
        body_of(m).masked_residuals.ciphertexts
        for m in market.sent("noisy_metric")
        if m.envelope.sender == market.owners[3].address and m.envelope.round == 1
    ]
    plain = [[market.key.decrypt(int.from_bytes(c, "big")) for c in vector] for vector in masked]
    assert len(plain) == 2
    assert not set(plain[0]) & set(plain[1])


def test_a_validator_lost_between_rounds_has_the_start_measured_again() -> None:
    market = five_owners()
    market.intercept = losing(
        lambda m: (
            m.envelope.type == "encrypted_metric"
            and m.envelope.sender == market.owners[2].address
            and m.envelope.round == 2
        )
    )
    market.finish()
    assert market.buyer.shown == "FINISHED"
    starts = {m.envelope.round: body_of(m).measure_start for m in market.sent("encrypted_metric")}
    assert starts == {1: True, 2: True}
    first, second = market.contract.recorded
    assert second.record.validators != first.record.validators
    assert second.record.mse_before != first.mse_after


def test_too_few_validators_end_the_training() -> None:
    market = small_market()
    market.intercept = without("encrypted_metric", sender=market.owners[3])
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == "FAILED(too_few_validators)"


def test_too_few_signatures_end_the_training() -> None:
    market = small_market()
    market.intercept = without("round_signature", sender=market.owners[3])
    market.finish()
    assert market.contract.status == "cancelled"
    assert not market.contract.recorded
    assert not market.buyer.results


def test_a_majority_of_signatures_is_enough() -> None:
    market = five_owners()
    market.intercept = without("round_signature", sender=market.owners[4])
    market.finish()
    assert_model_of_twin(market)


# ---- the buyer ----


@pytest.mark.parametrize("lost", ["refresh_answer", "opening"])
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
    market.run_until("noisy_metric")
    stop(market, market.buyer)
    before = len(market.wire)
    market.finish()
    assert market.contract.ended
    assert market.buyer.shown == "FAILED(stopped_by_buyer)"
    assert not [m for m in market.wire[before:] if m.envelope.sender == market.buyer.address]


def test_a_buyer_stops_before_the_start() -> None:
    market = small_market()
    market.run_until("invitation")
    stop(market, market.buyer)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == "FAILED(stopped_by_buyer)"


def test_only_the_operator_stops() -> None:
    market = small_market()
    market.run_until("noisy_metric")
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
    ("sent", "status"), [("gradient_update", "cancelled"), ("round_completed", "settled")]
)
def test_when_the_aggregator_falls_silent_the_buyer_ends_the_training(sent: str, status: str) -> None:
    market = small_market()
    market.run_until(sent)
    market.silent.add(market.aggregator.address)
    market.finish()
    assert market.contract.status == status
    assert market.buyer.phase == "failed"
    assert not market.buyer.results


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
    assert not market.buyer.results


def test_a_record_that_the_contract_refuses_ends_the_training() -> None:
    market = small_market()
    market.post(market.run_until("round_signature"))
    market.contract.status = "refusing"
    market.run()
    assert market.aggregator.phase == "ending"
    assert [f.data["code"] for f in market.aggregator.facts if f.name == "gave_up"] == ["record_wrong_status"]
