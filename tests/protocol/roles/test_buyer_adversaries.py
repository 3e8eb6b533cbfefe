"""What an aggregator, a validator or anyone else cannot get out of the buyer."""

from typing import Any

import pytest

from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages import RowCount, TrainedModel
from protocol.roles.engine.inputs import MessageReceived
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

SHIFT = 1 << 40


def stopped_at(type_name: str, rounds: int = 2) -> tuple[PureMarket, SignedMessage]:
    request = small_request(schedule={"rounds": rounds, "local_steps": 2, "step_size": "0.05"})
    market = small_market(request, data=small_data(owners=5), validators=[2, 3, 4])
    return market, market.run_until(type_name, market.buyer)


# ---- the start ----


@pytest.fixture(scope="module")
def start() -> tuple[PureMarket, SignedMessage]:
    return stopped_at("training_started")


def test_roles_must_be_those_drawn_on_chain(start: tuple[PureMarket, SignedMessage]) -> None:
    market, message = start
    body = body_of(message)
    swapped = altered(
        market, message, trainers=body.validators[:2], validators=(*body.trainers, market.owners[4].address)
    )
    assert refusal(market, market.buyer, swapped) == "wrong_roles"
    fewer = altered(market, message, validators=body.validators[:2])
    assert refusal(market, market.buyer, fewer) == "wrong_roles"


def test_row_counts_must_be_complete_and_fit(start: tuple[PureMarket, SignedMessage]) -> None:
    market, message = start
    rows = body_of(message).rows
    assert refusal(market, market.buyer, altered(market, message, rows=rows[1:])) == "wrong_rows"
    doubled = (*rows[1:], rows[1])
    assert refusal(market, market.buyer, altered(market, message, rows=doubled)) == "wrong_rows"
    none = tuple(RowCount(owner=row.owner, rows=0) for row in rows)
    assert refusal(market, market.buyer, altered(market, message, rows=none)) == "widths_do_not_fit"


# ---- the refresh ----


@pytest.fixture(scope="module")
def refresh() -> tuple[PureMarket, SignedMessage]:
    return stopped_at("refresh_request", rounds=5)


@pytest.mark.parametrize(
    "divisor", [0, SHIFT, SHIFT * 2 + 1, SHIFT * 3, 2, SHIFT * 2 * SHIFT], ids=lambda divisor: f"{divisor:x}"
)
def test_a_refresh_divides_by_the_number_of_trainers_only(
    refresh: tuple[PureMarket, SignedMessage], divisor: int
) -> None:
    """Dividing by more or less would move the model."""
    market, message = refresh
    assert refusal(market, market.buyer, altered(market, message, divisor=divisor)) == "wrong_divisor"


@pytest.mark.parametrize("kind", BAD_PACKED)
def test_a_refresh_takes_proper_ciphertexts_in_the_agreed_layout(
    refresh: tuple[PureMarket, SignedMessage], kind: str
) -> None:
    market, message = refresh
    masked, code = spoilt(body_of(message).masked, market, kind)
    assert refusal(market, market.buyer, altered(market, message, masked=masked)) == code


@pytest.mark.parametrize("round_number", [0, 3, 6])
def test_a_refresh_is_at_most_one_round_ahead(
    refresh: tuple[PureMarket, SignedMessage], round_number: int
) -> None:
    market, message = refresh
    moved = resigned(market, message, round=round_number)
    assert refusal(market, market.buyer, moved) == "round_out_of_order"


def test_a_refresh_is_answered_once() -> None:
    market, message = stopped_at("refresh_request")
    market.deliver(market.buyer, MessageReceived(signed=message))
    assert len(market.sent("refresh_answer")) == 1
    assert refusal(market, market.buyer, message) == "asked_twice"
    other = altered(market, message, divisor=SHIFT * 2)
    assert refusal(market, market.buyer, other) == "asked_twice"


# ---- the products ----


@pytest.fixture(scope="module")
def metric() -> tuple[PureMarket, SignedMessage]:
    return stopped_at("noisy_metric")


@pytest.mark.parametrize("kind", BAD_PACKED)
def test_products_are_formed_of_proper_ciphertexts_in_the_agreed_layout(
    metric: tuple[PureMarket, SignedMessage], kind: str
) -> None:
    market, message = metric
    masked, code = spoilt(body_of(message).masked_residuals, market, kind)
    assert refusal(market, market.buyer, altered(market, message, masked_residuals=masked)) == code


@pytest.mark.parametrize("changes", [{"models": 1}, {"models": 4}, {"measure_start": False}, {"models": 2}])
def test_products_are_formed_of_the_trainings_models(
    metric: tuple[PureMarket, SignedMessage], changes: dict[str, Any]
) -> None:
    market, message = metric
    code = refusal(market, market.buyer, altered(market, message, **changes))
    assert code in ("wrong_model_count", "wrong_layout")


def test_only_drawn_validators_get_products(metric: tuple[PureMarket, SignedMessage]) -> None:
    market, message = metric
    trainer = market.trainers()[0]
    assert (
        refusal(market, market.buyer, resigned(market, message, sender=trainer.address)) == "not_a_validator"
    )
    foreign = resigned(market, message, sender=market.aggregator.address)
    assert refusal(market, market.buyer, foreign) == "not_a_party"


@pytest.mark.parametrize("round_number", [0, 2, 3])
def test_products_are_formed_in_the_round_that_is_measured(
    metric: tuple[PureMarket, SignedMessage], round_number: int
) -> None:
    market, message = metric
    assert (
        refusal(market, market.buyer, resigned(market, message, round=round_number)) == "round_out_of_order"
    )


def test_a_validator_gets_products_once_per_attempt() -> None:
    market, message = stopped_at("noisy_metric")
    market.deliver(market.buyer, MessageReceived(signed=message))
    again = altered(market, message, check_digest=b"\1" * 32)
    assert refusal(market, market.buyer, again) == "asked_twice"
    assert len(market.sent("metric_products")) == 1


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
    early = body_of(market.sent("refresh_answer")[0])
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
        ({"bounds": {"residual_bits": 64}, "key_bits": 448}, "widths_do_not_fit"),
        ({"payment": {"deposit_wei": 1}}, "deposit_too_low"),
    ],
)
def test_an_impossible_order_pays_no_deposit(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ProtocolViolation, match=code):
        small_market(small_request(**changes))
