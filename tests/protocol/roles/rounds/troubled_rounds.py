"""Whole markets in which one party is silent or lies: who is named, who is left out, what is recorded."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from protocol.crypto.cipher import PublicKey
from protocol.envelope import SignedMessage
from protocol.roles.rounds.members import attempt_checkers, draw_hash
from protocol.types import RoundAttempt, seats_of
from tests.support.roles.checked_markets import checked_market
from tests.support.roles.plain_market import bought_weights, delivered_round, plain_twin
from tests.support.roles.pure_contract import MARKET, TRAINING
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import altered, body_of

SEVEN = (4, 5, 6)
"""Validators of seven owners: two of them are enough."""
TWO_ROUNDS = {"rounds": 2, "local_steps": 2, "step_size": "0.05", "tolerance": 0}

Meddler = Callable[[PureMarket, SignedMessage], Sequence[SignedMessage]]


def meddled(meddler: Meddler, validators: Sequence[int] = SEVEN, owners: int = 7) -> PureMarket:
    """A market with somebody in its way, when all is over."""
    market = checked_market(validators, owners=owners, schedule=TWO_ROUNDS)
    market.intercept = lambda message: meddler(market, message)
    market.finish()
    return market


def first_checkers(market: PureMarket) -> tuple[str, str]:
    """Of the first attempt at the first round."""
    parties = market.aggregator.decoded.parties
    return attempt_checkers(
        parties, parties.validators, RoundAttempt(1, 1), draw_hash(MARKET, TRAINING, parties)
    )


def validator(market: PureMarket, *, checking: bool) -> str:
    """One that checks, or does not check, the first attempt at the first round."""
    first = first_checkers(market)
    return next(one.address for one in market.validators() if (one.address in first) == checking)


def dropped(market: PureMarket) -> list[tuple[object, object]]:
    """Whom the aggregator has left out, and for what."""
    facts = [fact.data for fact in market.aggregator.facts if fact.name == "dropped"]
    return [(fact["participant"], fact["code"]) for fact in facts]


def attempts(market: PureMarket, round_number: int) -> set[int]:
    """At which the round was opened."""
    return {one.envelope.attempt for one in market.sent("opening") if one.envelope.round == round_number}


def assert_recorded_without(market: PureMarket, owner: str) -> None:
    """Both rounds are recorded, by all validators but this one, and are those of the plain training."""
    assert market.contract.status == "settled"
    seats = [seat for seat in SEVEN if market.contract.seats[seat] != owner]
    assert [list(seats_of(one.record.validators)) for one in market.contract.recorded] == [seats, seats]
    twin = plain_twin(market, delivered_round(market)).averaging.models[-1]
    assert bought_weights(market) == pytest.approx(twin, abs=1e-8 * np.abs(twin).max())


# ---- silence ----


@pytest.mark.parametrize("checking", [False, True])
def test_a_silent_validator_is_left_out_by_the_next_attempt_and_stays_out(checking: bool) -> None:
    def meddler(market: PureMarket, message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        silent = envelope.round > 0 and envelope.sender == validator(market, checking=checking)
        return () if silent else (message,)

    market = meddled(meddler)
    silent = validator(market, checking=checking)
    assert dropped(market) == [(silent, "metric_late")]
    assert_recorded_without(market, silent)
    assert (attempts(market, 1), attempts(market, 2)) == ({2}, {1})


def test_a_checker_that_measures_and_does_not_check_is_left_out() -> None:
    def meddler(market: PureMarket, message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        is_ring = envelope.type.startswith("ring_")
        return () if is_ring and envelope.sender == validator(market, checking=True) else (message,)

    market = meddled(meddler)
    silent = validator(market, checking=True)
    assert dropped(market)[0] == (silent, "ring_late")
    assert_recorded_without(market, silent)


def test_a_member_that_does_not_sign_the_product_is_left_out() -> None:
    def meddler(market: PureMarket, message: SignedMessage) -> Sequence[SignedMessage]:
        is_consent = message.envelope.type == "metric_consent"
        return (
            () if is_consent and message.envelope.sender == validator(market, checking=False) else (message,)
        )

    market = meddled(meddler)
    silent = validator(market, checking=False)
    assert dropped(market) == [(silent, "consent_late")]
    assert_recorded_without(market, silent)


def test_too_few_validators_end_the_training_at_the_last_recorded_round() -> None:
    def meddler(market: PureMarket, message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        silent = envelope.round == 2 and envelope.sender == validator(market, checking=True)
        return () if silent else (message,)

    market = meddled(meddler, validators=(3, 4), owners=5)
    assert market.aggregator.decoded.failure == "too_few_validators"
    assert (len(market.contract.recorded), market.contract.status) == (1, "settled")
    (end,) = [fact.data for fact in market.buyer.facts if fact.name == "gave_up"]
    assert end["silent"] == [validator(market, checking=True)]
    assert "accused" not in end


# ---- lies ----


def with_another_proof(market: PureMarket, message: SignedMessage) -> SignedMessage:
    """The last response is another one, of the same length."""
    *others, last = body_of(message).proof
    changed = last[:-1] + bytes([last[-1] ^ 1])
    return altered(market, message, proof=(*others, changed))


def test_a_trainer_whose_proof_fails_is_named_and_left_out_of_the_training() -> None:
    def meddler(market: PureMarket, message: SignedMessage) -> Sequence[SignedMessage]:
        lies = message.envelope.type == "proven_update"
        lies = lies and message.envelope.sender == market.trainers()[0].address
        return (with_another_proof(market, message),) if lies else (message,)

    market = meddled(meddler)
    liar = market.trainers()[0].address
    assert dropped(market) == [(liar, "unproven_update")]
    assert [list(seats_of(one.record.trainers)) for one in market.contract.recorded] == [[1, 2, 3]] * 2
    assert market.contract.status == "settled"
    asked = {one.envelope.recipient for one in market.sent("encrypted_model") if one.envelope.round == 2}
    assert asked == {one.address for one in market.trainers()[1:]}


def test_a_validator_whose_proof_fails_is_named_and_left_out_of_the_training() -> None:
    def meddler(market: PureMarket, message: SignedMessage) -> Sequence[SignedMessage]:
        lies = message.envelope.type == "proven_metric"
        lies = lies and message.envelope.sender == validator(market, checking=False)
        return (with_another_proof(market, message),) if lies else (message,)

    market = meddled(meddler)
    liar = validator(market, checking=False)
    assert dropped(market) == [(liar, "unproven_metric")]
    assert_recorded_without(market, liar)
    shown = [body_of(one).left_out for one in market.sent("round_evidence") if one.envelope.attempt == 2]
    assert {(one.member, one.why) for left in shown for one in left} == {(liar, "named")}


def test_a_buyer_that_lies_in_one_product_is_found_out_and_nothing_is_recorded() -> None:
    """Both projections fail: request and trainers' ranges hold, and the buyer is who is left."""

    def meddler(market: PureMarket, message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type != "moment_answer":
            return (message,)
        key: PublicKey = market.key.public_key
        first, *others = body_of(message).numbers
        wrong = int.from_bytes(first, "big") * int(key.lift(1)) % int(key.n_squared)
        return (altered(market, message, numbers=(wrong.to_bytes(len(first), "big"), *others)),)

    market = meddled(meddler, validators=(3, 4), owners=5)
    assert market.aggregator.decoded.failure == "wrong_moments"
    assert not market.contract.recorded
    assert market.contract.status == "cancelled"
    assert not dropped(market)
    assert {body_of(one).fault for one in market.sent("training_failed")} == {market.buyer.address}
    assert not market.sent("metric_opening_request")


def test_an_aggregator_that_hands_out_another_next_model_is_found_out_and_nothing_is_recorded() -> None:
    """One weight is 2⁻⁴ away from the mean: the roots do not show it to be the answer without masks."""

    def meddler(market: PureMarket, message: SignedMessage) -> Sequence[SignedMessage]:
        if message.envelope.type != "round_evidence":
            return (message,)
        key: PublicKey = market.key.public_key
        body = body_of(message)
        first, *others = body.next_model.ciphertexts
        wrong = int.from_bytes(first, "big") * int(key.lift(1 << 60)) % int(key.n_squared)
        numbers = (wrong.to_bytes(len(first), "big"), *others)
        return (
            altered(market, message, next_model=body.next_model.model_copy(update={"ciphertexts": numbers})),
        )

    market = meddled(meddler, validators=(3, 4), owners=5)
    assert not market.contract.recorded
    assert not market.sent("metric_opening_request")
