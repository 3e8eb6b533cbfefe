"""Consensus ADMM through the whole encrypted protocol, against the same schedule in plaintext."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from protocol.envelope import SignedMessage
from protocol.learning.plaintext import consensus
from tests.support.roles.bad_trainers import COLUMN, bad_data
from tests.support.roles.pay import credited, recomputed
from tests.support.roles.plain_market import (
    assert_model_of_twin,
    bought_weights,
    owner_data,
    plain_twin,
)
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import altered, body_of, small_data, small_market, small_request
from tests.support.roles.transcripts import PARTIES, entries_of, party_of, sealed, verified

SCHEDULE = {"tolerance": 0, "deliver": "last", "method": "admm", "rho": "0.05"}


def consensus_market(rounds: int = 4, *, validators: int = 2, **changes: Any) -> PureMarket:
    request = small_request(schedule={"rounds": rounds, **SCHEDULE}, **changes)
    owners = 3 + validators
    return small_market(request, small_data(owners=owners, rows=30), validators=list(range(3, owners)))


def assert_model_of(market: PureMarket, answered: Sequence[Sequence[int]]) -> None:
    """The bought model is that of these trainers, by place, in each round."""
    request, trainers = market.request, market.trainers()
    plain = consensus(
        [owner_data(market, owner, measuring=False).factor for owner in trainers],
        np.array([float(weight) for weight in request.start_weights()]),
        penalty=float(request.schedule.penalty),
        l2=float(request.model.l2),
        answered=answered,
    )
    assert bought_weights(market) == pytest.approx(plain.models[-1], rel=1e-6)


def assert_verified(market: PureMarket) -> None:
    for name in PARTIES:
        party = party_of(market, name)
        for key in (party.signing_key, None):
            report = verified(sealed(party, entries_of(market, party)), key)
            assert report.failure is None, name
            assert len(report.rounds) == len(market.contract.recorded)


def test_the_bought_model_is_that_of_the_same_schedule_in_plaintext() -> None:
    market = consensus_market()
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    assert len(market.contract.recorded) == 4
    assert_model_of_twin(market)
    twin = plain_twin(market).averaging.models[-1]
    assert bought_weights(market) == pytest.approx(np.asarray(twin), rel=1e-6)
    starts = [body_of(one).model.digest() for one in market.sent("encrypted_model")]
    assert len(set(starts)) == 1 + 3 * 3  # one public start, and then one for each trainer
    assert_verified(market)


def test_one_that_is_silent_ends_the_duals_of_all() -> None:
    market = consensus_market(5)
    silent = market.owners[0].address

    def losing(message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        lost = envelope.type == "proven_update" and (envelope.sender, envelope.round) == (silent, 2)
        return () if lost else (message,)

    market.intercept = losing
    market.finish()
    everybody, [first, *_] = [0, 1, 2], market.contract.recorded
    by_seat = [seat for seat in range(8) if first.record.trainers >> seat & 1]
    answered = [
        [by_seat.index(seat) for seat in range(8) if one.record.trainers >> seat & 1]
        for one in market.contract.recorded
    ]
    assert answered[:2] == [everybody, [1, 2]]
    assert answered[-1] == everybody
    assert_model_of(market, answered)
    assert_verified(market)


def _earned(silent_in: set[int]) -> int:
    """Wei of the first trainer, which answers in all rounds but these."""
    market = consensus_market()
    trainer = market.owners[0].address

    def losing(message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        lost = envelope.type == "proven_update" and envelope.sender == trainer
        return () if lost and envelope.round in silent_in else (message,)

    market.intercept = losing
    market.finish()
    assert market.contract.status == "settled"
    assert market.contract.ledger is not None
    pay = credited(market.contract.ledger.credited)
    assert pay == recomputed(market.contract.events)
    return sum(wei for (account, _share), wei in pay.items() if account == trainer)


def test_feigned_silence_earns_less() -> None:
    """Each time all duals begin anew, which is what such a trainer could be after."""
    honest = _earned(set())
    assert all(_earned(rounds) < honest for rounds in ({1}, {2}, {4}, {2, 4}))


def test_a_further_attempt_goes_on_from_what_the_first_one_has_shown() -> None:
    """Its own answer of the buyer would give other ciphertexts, and trainers have gone on."""
    market = consensus_market(3, validators=3)

    def losing(message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        gone = envelope.sender == market.owners[3].address and envelope.round == 2
        return () if gone and envelope.type != "round_signature" else (message,)

    market.intercept = losing
    market.finish()
    shown = [one for one in market.sent("round_evidence") if one.envelope.round == 2]
    assert {one.envelope.attempt for one in shown} == {1, 2}
    assert len({body_of(one).rescaled for one in shown}) == 1
    assert_model_of(market, [[0, 1, 2]] * 3)


def test_other_duals_in_a_further_attempt_are_no_evidence() -> None:
    market = consensus_market(2, validators=3)
    gone = market.owners[3].address

    def lying(message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        if envelope.sender == gone and envelope.type == "proven_metric":
            return ()
        if envelope.type == "round_evidence" and envelope.attempt == 2:
            rescaled = body_of(message).rescaled
            return (altered(market, message, rescaled=rescaled[::-1]),)
        return (message,)

    market.intercept = lying
    market.finish()
    codes = {one.code for party in market.validators() for one in party.violations}
    assert "second_model_for_round" in codes
    assert not market.contract.recorded


def test_a_repeated_round_makes_what_is_carried_anew_without_who_sits_out() -> None:
    request = small_request(schedule={"rounds": 4, **SCHEDULE, "rho": "0.001"}, features=[COLUMN])
    market = small_market(request, bad_data(5), validators=[3, 4])
    market.finish()
    assert {party.shown for party in market.parties.values()} >= {"FINISHED"}
    trained = [one.record.trainers for one in market.contract.recorded]
    assert len(trained) == 4
    assert len(set(trained)) == 2, trained
    assert_verified(market)
