"""Silent trainers and validators: dropped for a round, or for good, while enough remain."""

from collections.abc import Callable, Sequence

import pytest

from protocol.envelope import SignedMessage
from protocol.messages import ModelRequest
from protocol.roles.aggregator.attendance import asked_trainers, mark_absent, mark_present
from protocol.roles.aggregator.state import TrainingState
from protocol.roles.engine.inputs import MessageReceived
from protocol.roles.engine.state import replace
from protocol.roles.shared.parties import Parties
from tests.support.roles.plain_market import assert_model_of_twin, bought_weights, plain_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import (
    body_of,
    losing,
    small_data,
    small_market,
    small_request,
    without,
)


def five_owners(validators: list[int] | None = None) -> PureMarket:
    return small_market(data=small_data(owners=5), validators=validators or [2, 3, 4])


def test_a_silent_trainer_is_dropped_for_the_round_and_may_return() -> None:
    market = five_owners(validators=[3, 4])
    silent = market.owners[0].address
    market.intercept = losing(
        lambda m: m.envelope.type == "proven_update" and m.envelope.sender == silent and m.envelope.round == 1
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
            m.envelope.type == "proven_update"
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
    assert [message.envelope.round for message in market.sent("encrypted_model")] == [1, 1, 2, 2]


def test_a_silent_validator_means_a_next_attempt_without_it() -> None:
    market = five_owners()
    silent = market.owners[2]
    market.intercept = without("proven_metric", sender=silent)
    market.finish()
    assert_model_of_twin_after_drop(market, silent)
    attempts = {(m.envelope.round, m.envelope.attempt) for m in market.sent("metric_opening_request")}
    assert attempts == {(1, 2), (2, 1)}
    assert {m.envelope.attempt for m in market.sent("moment_request") if m.envelope.round == 1} == {1, 2}


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
    market.intercept = without("proven_metric", sender=market.owners[2])
    market.finish()
    masked = [body_of(m).masked for m in market.sent("moment_request") if m.envelope.round == 1]
    plain = [[market.key.decrypt(int.from_bytes(c, "big")) for c in vector] for vector in masked]
    assert len(plain) == 2
    assert not set(plain[0]) & set(plain[1])


def test_too_few_validators_end_the_training() -> None:
    market = small_market()
    market.intercept = without("proven_metric", sender=market.owners[3])
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == "FAILED(too_few_validators)"
    (end,) = [fact.data for fact in market.buyer.facts if fact.name == "gave_up"]
    assert end["silent"] == [market.owners[3].address]
    assert "accused" not in end


def four_validators(*silent: int) -> PureMarket:
    """Of six owners four validate; three of them are needed, whoever is left out."""
    request = small_request(schedule={"rounds": 1, "local_steps": 2, "step_size": "0.05"})
    market = small_market(request, small_data(owners=6), validators=[2, 3, 4, 5])
    quiet = {market.owners[number].address for number in silent}
    market.intercept = losing(lambda m: m.envelope.type == "proven_metric" and m.envelope.sender in quiet)
    market.finish()
    return market


def test_more_than_half_of_the_drawn_validators_are_enough() -> None:
    market = four_validators(2)
    assert market.buyer.shown == "FINISHED"
    assert {event.record.validators.bit_count() for event in market.contract.recorded} == {3}
    assert not any(party.violations for party in market.parties.values())


def test_half_of_the_drawn_validators_end_the_training() -> None:
    market = four_validators(2, 3)
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == "FAILED(too_few_validators)"
    assert not market.sent("opening")


def test_too_few_signatures_end_the_training() -> None:
    """Each of the two has its own signature alone, and nobody has both."""
    market = small_market()
    cut_off = market.owners[3].address
    market.intercept = losing(
        lambda m: (
            m.envelope.type == "round_signature" and cut_off in (m.envelope.sender, m.envelope.recipient)
        )
    )
    market.finish()
    assert market.contract.status == "cancelled"
    assert not market.contract.recorded
    assert not market.buyer.results


def test_where_members_may_wait_for_the_buyers_opening_it_is_told_as_silent_with_them() -> None:
    """It opens to the aggregator alone: nobody else sees whether members or the buyer kept something back."""
    market = small_market()
    aggregator = market.aggregator.address
    market.intercept = losing(lambda m: m.envelope.type == "opening" and m.envelope.recipient != aggregator)
    market.finish()
    told = [body_of(message) for message in market.sent("training_failed")]
    members = [one.address for one in market.validators()]
    assert {one.code for one in told} == {"too_few_signatures"}
    assert {one.silent for one in told} == {(*members, market.buyer.address)}, "also once it is cancelled"


def test_a_majority_of_signatures_is_enough() -> None:
    market = five_owners()
    market.intercept = without("round_signature", sender=market.owners[4])
    market.finish()
    assert_model_of_twin(market)


# ---- returning ----


def losing_from(kind: str, sender: Party, *rounds: int) -> Callable[[SignedMessage], Sequence[SignedMessage]]:
    return losing(
        lambda m: (
            m.envelope.type == kind and m.envelope.sender == sender.address and m.envelope.round in rounds
        )
    )


def test_a_validator_that_was_late_for_the_last_round_still_serves_its_model() -> None:
    market = five_owners()
    late = market.owners[2]
    market.intercept = losing_from("proven_metric", late, 2)
    market.finish()
    question = market.message(market.buyer, late, ModelRequest())
    market.deliver(late, MessageReceived(signed=question))
    [served] = [m for m in market.sent("trained_model") if m.envelope.sender == late.address]
    assert body_of(served).model.digest() == market.contract.recorded[-1].record.delivered_digest


def test_what_comes_late_is_nobodys_fault_and_ends_the_absence() -> None:
    market = small_market(data=small_data(owners=5), validators=[3, 4])
    slow, held = market.owners[0], []

    def intercept(message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type == "proven_update" and message.envelope.sender == slow.address:
            held.append(message)
            return ()
        return (message,)

    market.intercept = intercept
    market.run()
    market.tick()
    [absence] = market.aggregator.decoded.absences
    assert (market.contract.seats[absence.seat], absence.misses) == (slow.address, 1)
    market.deliver(market.aggregator, MessageReceived(signed=held[0]))
    assert not market.aggregator.decoded.absences
    assert not market.aggregator.violations


def with_trainers(count: int) -> TrainingState:
    """A training with so many trainers in the first seats and two validators."""
    market = small_market()
    market.run_until("proven_update")
    seats = tuple(f"0x{n:040x}" for n in range(count + 2))
    parties = Parties(seats=seats, trainers=(1 << count) - 1)
    state: TrainingState = market.aggregator.decoded
    return replace(state, parties=parties)


def test_each_further_silence_doubles_the_rounds_out() -> None:
    state, asked = with_trainers(3), []
    for round_number in range(1, 20):
        if asked_trainers(state, round_number) & 1:
            asked.append(round_number)
            state = mark_absent(state, 1, round_number)
    assert asked == [1, 2, 4, 8, 16]
    assert asked_trainers(mark_present(state, 0), 20) & 1


def test_with_too_few_others_the_absent_are_asked_again() -> None:
    state = mark_absent(mark_absent(with_trainers(2), 1, 1), 1, 1)
    assert asked_trainers(state, 2) == 0b11
