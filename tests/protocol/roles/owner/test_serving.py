"""Who gets the paid model from a validator; an honest buyer is told where it is not, and is not accused."""

from copy import deepcopy
from functools import cache

import pytest

from protocol.envelope import SignedMessage
from protocol.messages import ModelRefused, ModelRequest, ParticipantDropped, StopOrder, TrainingFailed
from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.plain_market import assert_model_of_twin, delivered_round
from tests.support.roles.pure_contract import TRAINING
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import (
    body_of,
    losing,
    refusal,
    small_data,
    small_market,
    small_request,
    stopped_at,
    without,
)


def asked(market: PureMarket, owner: Party) -> list[str]:
    """What a data owner says when the buyer asks it for its model."""
    sent = len(market.wire)
    market.deliver(owner, MessageReceived(signed=market.message(market.buyer, owner, ModelRequest())))
    return [message.envelope.type for message in market.wire[sent:]]


def market_without_the_last_round(*missed: int) -> PureMarket:
    """A settled training of three validators; the one at this seat saw nothing of its last round."""
    return deepcopy(_settled(missed))


@cache
def _settled(missed: tuple[int, ...]) -> PureMarket:
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4])
    away = {market.owners[seat].address for seat in missed}
    market.intercept = losing(
        lambda message: (
            message.envelope.type == "trained_model"
            or (message.envelope.recipient in away and message.envelope.round == 2)
        )
    )
    while market.buyer.phase != "collecting" or market.pending:
        if market.pending:
            market.deliver_next()
        else:
            assert market.tick()
    return market


def test_a_validator_serves_nothing_before_the_settlement() -> None:
    market, owner, _ = stopped_at("opening", 2, round_number=2)
    request = market.message(market.buyer, owner, ModelRequest())
    step = market.deliver(owner, MessageReceived(signed=request))
    assert step is not None
    assert [effect.effect for effect in step.effects] == ["blob"], "it is held, and nothing else"


def test_a_validator_serves_the_buyer_only_and_trainers_are_not_asked() -> None:
    market = small_market()
    market.finish()
    validator, trainer = market.validators()[0], market.trainers()[0]
    for stranger in (market.aggregator, trainer):
        foreign = market.message(stranger, validator, ModelRequest())
        assert refusal(market, validator, foreign) == "wrong_sender"
    out_of_place = market.message(market.buyer, trainer, ModelRequest())
    assert refusal(market, trainer, out_of_place) == "no_model_here"


# ---- a training that ended before its last round ----


def test_a_validator_serves_nothing_where_the_buyer_fell_silent() -> None:
    """It has paid for the first round, and not signed the second: see the module `owner.serving`."""
    market = small_market()
    market.intercept = losing(lambda m: (m.envelope.type, m.envelope.round) == ("opening", 2))
    market.finish()
    assert market.contract.status == "settled"
    assert len(market.contract.recorded) == 1
    for validator in market.validators():
        assert asked(market, validator) == ["model_refused"]
        assert body_of(market.wire[-1]).code == "stopped_early"
        assert not validator.violations


@cache
def _in_the_second_round() -> PureMarket:
    schedule = {"rounds": 3, "local_steps": 2, "step_size": "0.05", "tolerance": 0}
    market = small_market(small_request(schedule=schedule), small_data(owners=5), validators=[2, 3, 4])
    while not market.contract.recorded:
        market.deliver_next()
    return market


def in_the_second_round() -> PureMarket:
    """Three validators and three rounds, the first of which has just been recorded."""
    return deepcopy(_in_the_second_round())


def until_settled(market: PureMarket) -> None:
    while market.contract.status != "settled" or market.pending:
        if market.pending:
            market.deliver_next()
        else:
            assert market.tick()


@pytest.mark.parametrize("recorded", [1, 2])
def test_the_model_of_each_recorded_round_is_there_when_the_aggregator_dies_after_it(recorded: int) -> None:
    """Also where validators have signed the next round, and nobody has two of their signatures."""
    market = in_the_second_round()
    market.intercept = losing(lambda m: m.envelope.type == "round_signature" and m.envelope.round > recorded)
    while not [m for m in market.sent("round_signature") if m.envelope.round > recorded]:
        market.deliver_next()
    market.silent.add(market.aggregator.address)
    market.finish()
    assert len(market.contract.recorded) == recorded
    assert market.buyer.shown == "FINISHED"
    assert delivered_round(market) == recorded
    assert_model_of_twin(market)
    for validator in market.validators():
        assert asked(market, validator) == ["trained_model"]


def notice_at(market: PureMarket, part: float) -> None:
    """Have the aggregator's last word be that somebody is dropped, at this part of the last wait."""
    market.silent.add(market.aggregator.address)
    market.run()
    market.now += part * (market.contract.ends_at - market.now)
    body = ParticipantDropped(participant=market.owners[2].address, from_round=2, code="metric_late")
    for owner in market.owners:
        notice = market.message(market.aggregator, owner, body, round_number=2, attempt=1)
        market.deliver(owner, MessageReceived(signed=notice))


@pytest.mark.parametrize(("part", "answer"), [(0.2, "trained_model"), (0.8, "model_refused")])
def test_an_aggregator_that_was_at_work_to_the_end_has_not_died(part: float, answer: str) -> None:
    """A buyer that answers one validator after the other not can have the round's time run out."""
    market = in_the_second_round()
    notice_at(market, part)
    until_settled(market)
    for validator in market.validators():
        assert asked(market, validator) == [answer]


def test_a_notice_that_comes_after_the_settlement_counts() -> None:
    market = in_the_second_round()
    market.silent.add(market.aggregator.address)
    until_settled(market)
    validator, other, _ = market.validators()
    body = TrainingFailed(code="buyer_silent", fault=market.buyer.address, last_round=1)
    forged = market.message(market.buyer, validator, body)
    assert refusal(market, validator, forged) == "wrong_sender"
    notice = market.message(market.aggregator, validator, body)
    market.deliver(validator, MessageReceived(signed=notice))
    assert asked(market, validator) == ["model_refused"]
    assert asked(market, other) == ["trained_model"]


def test_a_buyer_whose_operator_stopped_the_training_asks_for_no_model() -> None:
    market = in_the_second_round()
    body = StopOrder(training=TRAINING, reason="test")
    market.deliver(market.buyer, MessageReceived(signed=market.message(market.buyer, market.buyer, body)))
    market.finish()
    assert market.contract.status == "settled"
    assert market.buyer.shown == "FAILED(stopped_by_buyer)"
    assert not market.sent("model_request")


# ---- a validator that does not have it ----


def test_a_validator_that_missed_the_model_says_so_and_names_nobody() -> None:
    market = market_without_the_last_round(2)
    missed, *others = market.validators()
    assert asked(market, missed) == ["model_refused"]
    assert body_of(market.wire[-1]).code == "no_model_here"
    assert not missed.violations
    for other in others:
        assert asked(market, other) == ["trained_model"]


def refused_by(market: PureMarket, validator: Party) -> SignedMessage:
    """Have a validator's refusal reach the buyer; the refusal."""
    refused = market.message(validator, market.buyer, ModelRefused(code="no_model_here"))
    market.deliver(market.buyer, MessageReceived(signed=refused))
    return refused


def asked_so_far(market: PureMarket) -> list[str]:
    """Whom the buyer has asked for its model, in that order."""
    return [message.envelope.recipient for message in market.sent("model_request")]


def test_a_buyer_that_is_refused_asks_the_next_validator_at_once() -> None:
    market = market_without_the_last_round()
    first, second, _ = market.validators()
    market.fire(market.buyer, "model")
    assert asked_so_far(market) == [first.address]
    refused_by(market, first)
    assert asked_so_far(market) == [first.address, second.address]


def test_only_the_validator_that_was_asked_last_sends_the_buyer_on() -> None:
    """Each request has one refusal that counts: a validator cannot have the buyer ask all the others."""
    market = market_without_the_last_round()
    first, _, third = market.validators()
    refused_by(market, first)
    assert not asked_so_far(market), "nobody was asked yet"
    market.fire(market.buyer, "model")
    refused = refused_by(market, first)
    before = market.buyer.decoded
    market.deliver(market.buyer, MessageReceived(signed=refused))
    refused_by(market, third)
    assert market.buyer.decoded == before
    assert not market.buyer.violations
    by_trainer = market.message(market.trainers()[0], market.buyer, ModelRefused(code="no_model_here"))
    assert refusal(market, market.buyer, by_trainer) == "wrong_sender"


def test_where_all_refuse_the_wait_doubles_from_turn_to_turn() -> None:
    market = market_without_the_last_round()
    turns = []
    for turn in range(3):
        market.fire(market.buyer, "model")
        for validator in market.validators():
            refused_by(market, validator)
        assert asked_so_far(market) == [one.address for one in market.validators()] * (turn + 1)
        turns.append(market.buyer.timers["model"] - market.now)
    assert turns == [market.request.deadlines.step_s * factor for factor in (1, 2, 4)]


def test_a_buyer_finds_the_validator_that_has_its_model() -> None:
    market = market_without_the_last_round(2)
    silent = without("trained_model", sender=market.aggregator)
    market.intercept = silent
    market.finish()
    assert market.buyer.shown == "FINISHED"
    assert len(market.sent("model_request")) == 2
    assert len(market.sent("model_refused")) == 1
    assert not [one for party in market.parties.values() for one in party.violations]
