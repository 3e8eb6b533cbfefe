"""What an aggregator, a validator or anyone else cannot get out of the buyer."""

from typing import Any

import pytest

from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages import TrainedModel
from protocol.roles.engine.inputs import MessageReceived
from protocol.vectors import EncryptedVector
from tests.support.roles.forgeries import BAD_PACKED, BAD_VECTORS, spoilt
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import (
    altered,
    body_of,
    refusal,
    resigned,
    small_data,
    small_market,
    small_request,
    without,
)


def stopped_at(type_name: str, rounds: int = 2) -> tuple[PureMarket, SignedMessage]:
    request = small_request(schedule={"rounds": rounds, "local_steps": 2, "step_size": "0.05"})
    market = small_market(request, data=small_data(owners=5), validators=[2, 3, 4])
    return market, market.run_until(type_name, market.buyer)


def as_vector(ciphertexts: tuple[bytes, ...]) -> EncryptedVector:
    """Numbers that travel by themselves, to be spoilt as a vector is."""
    return EncryptedVector.model_construct(key_id=b"", scale=0, ciphertexts=ciphertexts)


# ---- the start ----


@pytest.fixture(scope="module")
def start() -> tuple[PureMarket, SignedMessage]:
    return stopped_at("checked_started")


def test_roles_must_be_those_drawn_on_chain(start: tuple[PureMarket, SignedMessage]) -> None:
    market, message = start
    body = body_of(message)
    swapped = altered(
        market, message, trainers=body.validators[:2], validators=(*body.trainers, market.owners[4].address)
    )
    assert refusal(market, market.buyer, swapped) == "wrong_roles"
    fewer = altered(market, message, validators=body.validators[:2])
    assert refusal(market, market.buyer, fewer) == "wrong_roles"


def test_owners_are_told_once_in_seat_order(start: tuple[PureMarket, SignedMessage]) -> None:
    market, message = start
    owners = body_of(message).owners
    for wrong in ((*owners[1:], owners[1]), owners[::-1]):
        assert refusal(market, market.buyer, altered(market, message, owners=wrong)) == "wrong_rows"


# ---- the moments ----


@pytest.fixture(scope="module")
def moments() -> tuple[PureMarket, SignedMessage]:
    return stopped_at("moment_request", rounds=5)


@pytest.mark.parametrize("kind", [kind for kind in BAD_PACKED if "other" not in kind])
def test_moments_are_of_proper_ciphertexts_in_the_agreed_number(
    moments: tuple[PureMarket, SignedMessage], kind: str
) -> None:
    market, message = moments
    whole, code = spoilt(as_vector(body_of(message).masked), market, kind)
    assert refusal(market, market.buyer, altered(market, message, masked=whole.ciphertexts)) == code


@pytest.mark.parametrize("round_number", [0, 3, 6])
def test_moments_are_asked_for_at_most_one_round_ahead(
    moments: tuple[PureMarket, SignedMessage], round_number: int
) -> None:
    market, message = moments
    moved = resigned(market, message, round=round_number)
    assert refusal(market, market.buyer, moved) == "round_out_of_order"


def test_moments_are_answered_once() -> None:
    market, message = stopped_at("moment_request")
    market.deliver(market.buyer, MessageReceived(signed=message))
    assert len(market.sent("moment_answer")) == 1
    assert refusal(market, market.buyer, message) == "asked_twice"
    others = body_of(message).masked[::-1]
    assert refusal(market, market.buyer, altered(market, message, masked=others)) == "asked_twice"


# ---- the end ----


@pytest.fixture(scope="module")
def end() -> tuple[PureMarket, SignedMessage]:
    return stopped_at("trained_model")


def test_another_model_is_not_taken_for_the_recorded_one(end: tuple[PureMarket, SignedMessage]) -> None:
    market, message = end
    earlier = body_of(market.sent("encrypted_model")[0]).model
    assert refusal(market, market.buyer, altered(market, message, model=earlier)) == "wrong_model"
    assert not market.buyer.results


@pytest.mark.parametrize("kind", [kind for kind in BAD_VECTORS if kind not in ("other key", "other scale")])
def test_a_spoilt_model_is_not_the_recorded_one(end: tuple[PureMarket, SignedMessage], kind: str) -> None:
    market, message = end
    model, _ = spoilt(body_of(message).model, market, kind)
    assert refusal(market, market.buyer, altered(market, message, model=model)) == "wrong_model"


def test_the_recorded_ciphertexts_under_another_scale_or_key(end: tuple[PureMarket, SignedMessage]) -> None:
    market, message = end
    for kind in ("other key", "other scale"):
        model, code = spoilt(body_of(message).model, market, kind)
        assert refusal(market, market.buyer, altered(market, message, model=model)) == code


def test_a_trainer_does_not_deliver(end: tuple[PureMarket, SignedMessage]) -> None:
    market, message = end
    trainer = resigned(market, message, sender=market.trainers()[0].address)
    assert refusal(market, market.buyer, trainer) == "wrong_sender"


def test_the_model_is_taken_once() -> None:
    market, message = stopped_at("trained_model")
    market.deliver(market.buyer, MessageReceived(signed=message))
    market.deliver(market.buyer, MessageReceived(signed=message))
    assert market.buyer.kept == ["model"]


def test_a_model_that_comes_before_the_settlement_waits_for_it() -> None:
    market = small_market()
    market.intercept = without("trained_model")
    market.run_until("round_signature")
    early = body_of(market.sent("encrypted_model")[-1])
    delivered = market.message(market.aggregator, market.buyer, TrainedModel(model=early.model))
    step = market.deliver(market.buyer, MessageReceived(signed=delivered))
    assert step is not None
    assert [effect.effect for effect in step.effects] == ["blob"], "it is held, and nothing else"
    assert not market.buyer.results


def test_an_order_opens_one_training() -> None:
    """A second deposit for one order would be the buyer's loss."""
    market = small_market()
    [order] = [item for item in market.buyer.inbox if isinstance(item, MessageReceived)]
    assert refusal(market, market.buyer, order.signed) == "ordered_twice"
    assert [call for _, call in market.contract.calls] == ["open"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key_bits": 448}, "widths_do_not_fit"),
        ({"payment": {"deposit_wei": 1}}, "deposit_too_low"),
    ],
)
def test_an_impossible_order_pays_no_deposit(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ProtocolViolation, match=code):
        small_market(small_request(**changes))
