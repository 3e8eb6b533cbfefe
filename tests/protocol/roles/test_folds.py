"""Owners in folds: each validates in one and trains in the others, from the public start, in one training."""

from collections import Counter
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest

from protocol.errors import ProtocolViolation
from protocol.learning.descent import step_size_of
from protocol.learning.plaintext import PlainTraining, run
from protocol.marketplace import RolesDrawn
from protocol.roles.engine.inputs import EventConfirmed, MessageReceived
from protocol.types import seats_of
from protocol.verification.report import Report
from tests.support.roles.pay import credited, recomputed
from tests.support.roles.plain_market import bought_weights, owner_data
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import (
    altered,
    body_of,
    refusal,
    shuffling,
    small_data,
    small_market,
    small_request,
    without,
)
from tests.support.roles.transcripts import entries_of, sealed, verified

OWNERS, FOLDS, ROUNDS = 5, 2, 4
SCHEDULE = {"rounds": ROUNDS, "folds": FOLDS, "local_steps": 2, "step_size": "0.05", "tolerance": "0.5"}


def folded_market(**options: Any) -> PureMarket:
    return small_market(small_request(schedule=SCHEDULE), small_data(owners=OWNERS), **options)


@cache
def finished() -> PureMarket:
    market = folded_market()
    market.finish()
    return market


def drawn(market: PureMarket) -> list[RolesDrawn]:
    return [event for event in market.contract.events if isinstance(event, RolesDrawn)]


def owner_at(market: PureMarket, seat: int) -> Party:
    return market.parties[market.contract.seats[seat]]


def pay_of(market: PureMarket) -> Counter[tuple[str, str]]:
    """What everybody was credited, as it follows from the records."""
    assert market.contract.ledger is not None
    pay = credited(market.contract.ledger.credited)
    assert pay == recomputed(market.contract.events)
    return pay


def twin(market: PureMarket, roles: RolesDrawn, rounds: int) -> PlainTraining:
    """What a fold gives without encryption."""
    return run(
        [owner_data(market, owner_at(market, seat), measuring=False) for seat in seats_of(roles.trainers)],
        [owner_data(market, owner_at(market, seat)) for seat in seats_of(roles.validators)],
        np.array([float(weight) for weight in market.request.start_weights()]),
        step_size=step_size_of(market.request),
        l2=float(market.request.model.l2),
        local_steps=market.request.schedule.local_steps,
        rounds=rounds,
    )


def test_every_owner_validates_in_one_fold_and_trains_in_the_others() -> None:
    market = finished()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    roles = drawn(market)
    assert len(roles) == FOLDS
    assert sum(one.validators for one in roles) == (1 << OWNERS) - 1
    assert all(one.trainers == ((1 << OWNERS) - 1) & ~one.validators for one in roles)


def test_every_folds_errors_are_those_of_the_same_schedule_in_plaintext_from_the_public_start() -> None:
    market = finished()
    recorded, each = market.contract.recorded, ROUNDS // FOLDS
    assert len(recorded) == ROUNDS
    for fold, roles in enumerate(drawn(market)):
        expected = twin(market, roles, each)
        for number in range(each):
            event, metrics = recorded[fold * each + number], expected.metrics[number]
            assert (event.record.trainers, event.record.validators) == (roles.trainers, roles.validators)
            assert event.record.mse_before / 1e18 == pytest.approx(metrics.start, abs=1e-6)
            assert event.mse_after / 1e18 == pytest.approx(metrics.after, abs=1e-6)
            first = expected.metrics[0].start
            weights = [weight / first for weight in expected.pay_weights[number]]
            assert [weight / 1e18 for weight in event.pay_weights] == pytest.approx(weights, abs=1e-5)


def test_the_last_folds_model_is_delivered() -> None:
    market = finished()
    expected = twin(market, drawn(market)[-1], ROUNDS // FOLDS)
    assert bought_weights(market) == pytest.approx(expected.averaging.models[-1], abs=1e-6)


def test_pay_is_the_mean_of_the_folds() -> None:
    market = finished()
    pay = pay_of(market)
    assert {account for account, name in pay if name == "participation"} == set(market.contract.seats)
    assert not any(name == "validation" for _account, name in pay)


@pytest.mark.parametrize("role", ["buyer", "aggregator", "owner"])
def test_a_transcript_of_each_role_is_verified(role: str) -> None:
    market = finished()
    party = market.owners[0] if role == "owner" else getattr(market, role)
    report = verified(sealed(party, entries_of(market, party)), party.signing_key)
    assert report.failure is None
    assert len(report.rounds) == ROUNDS


def test_a_transcript_in_which_one_owner_validates_twice_is_not() -> None:
    market = finished()
    first, second = drawn(market)
    assert _verified_with(market, market.buyer, [first, second]).failure is None
    failure = _verified_with(market, market.buyer, [first, first]).failure
    assert failure is not None
    assert failure.code == "wrong_roles"
    moved = second.model_copy(update={"trainers": second.trainers & ~1})
    failure = _verified_with(market, market.buyer, [first, moved]).failure
    assert failure is not None
    assert failure.code == "wrong_roles"


def _verified_with(market: PureMarket, party: Party, roles: list[RolesDrawn]) -> Report:
    """Of the party's transcript with other draws in the place of the chain's."""
    wanted, taken = iter(roles), list(party.taken)
    for place, item in enumerate(taken):
        if isinstance(item, EventConfirmed) and isinstance(item.chain_event.event, RolesDrawn):
            event = item.chain_event.model_copy(update={"event": next(wanted)})
            taken[place] = item.model_copy(update={"chain_event": event})
    kept, party.taken = party.taken, taken
    try:
        return verified(sealed(party, entries_of(market, party)), party.signing_key)
    finally:
        party.taken = kept


@pytest.mark.parametrize("seed", range(4))
def test_it_ends_well_whatever_comes_first_and_again(seed: int) -> None:
    """The draws of roles among it, of this fold and of earlier ones."""
    chance, often = Random(seed), (0.0, 0.2, 0.5, 0.0)[seed]
    market = folded_market(choose=shuffling(seed), duplicate=lambda: chance.random() < often)
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    # A second delivery of what seats an owner is told as one out of order, as in any training.
    assert often or [one for party in market.parties.values() for one in party.violations] == []
    expected = twin(market, drawn(market)[-1], ROUNDS // FOLDS)
    assert bought_weights(market) == pytest.approx(expected.averaging.models[-1], abs=1e-6)


def test_a_trainer_takes_no_other_start_of_a_fold_than_the_public_one() -> None:
    market = folded_market()
    while (message := market.run_until("encrypted_model")).envelope.round <= ROUNDS // FOLDS:
        market.deliver(market.parties[message.envelope.recipient], MessageReceived(signed=message))
    owner = market.parties[message.envelope.recipient]
    earlier = next(one for one in market.sent("encrypted_model") if one.envelope.round == 2)
    other = altered(market, message, model=body_of(earlier).model)
    assert refusal(market, owner, other) == "wrong_start_model"


def test_where_the_aggregator_delivers_nothing_a_validator_of_the_last_fold_does() -> None:
    market = folded_market()
    market.intercept = without("trained_model", sender=market.aggregator)
    market.finish()
    assert market.buyer.shown == "FINISHED"
    expected = twin(market, drawn(market)[-1], ROUNDS // FOLDS)
    assert bought_weights(market) == pytest.approx(expected.averaging.models[-1], abs=1e-6)


def test_a_training_that_stops_between_two_folds_delivers_and_pays_the_one_that_is_over() -> None:
    market = folded_market()
    while len(drawn(market)) < FOLDS:
        market.deliver_next()
    market.silent.add(market.aggregator.address)
    market.finish()
    assert market.contract.status == "settled"
    assert len(market.contract.recorded) == ROUNDS // FOLDS
    assert market.buyer.shown == "FINISHED"
    pay_of(market)
    expected = twin(market, drawn(market)[0], ROUNDS // FOLDS)
    assert bought_weights(market) == pytest.approx(expected.averaging.models[-1], abs=1e-6)


def test_roles_of_other_seats_than_the_drawn_ones_begin_no_fold() -> None:
    market = finished()
    roles = drawn(market)[-1]
    parties = market.buyer.decoded.parties
    with pytest.raises(ProtocolViolation, match="wrong_roles"):
        parties.in_next_fold(roles.model_copy(update={"validators": roles.validators | 1 << OWNERS}))
    with pytest.raises(ProtocolViolation, match="wrong_roles"):
        parties.in_next_fold(roles.model_copy(update={"trainers": (1 << OWNERS) - 1}))
