"""What an aggregator or a buyer cannot get out of a validator."""

from typing import Any

import pytest

from protocol.envelope import SignedMessage
from tests.support.roles.forgeries import BAD_PACKED, BAD_VECTORS, spoilt
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import (
    Stopped,
    altered,
    body_of,
    deliver,
    refusal,
    resigned,
    stopped_at,
)

# ---- the validator: models ----


@pytest.fixture(scope="module")
def models() -> Stopped:
    return stopped_at("local_models", 2, round_number=2)


def test_the_round_starts_from_the_model_of_the_round_before(models: Stopped) -> None:
    market, owner, message = models
    first = body_of(market.sent("local_models")[0])
    other = altered(market, message, start_model=first.start_model)
    assert refusal(market, owner, other) == "wrong_start_model"


def test_no_round_ends_in_a_model_that_an_earlier_record_names(models: Stopped) -> None:
    """The contract would take a worse round for one that delivers its own model."""
    market, owner, message = models
    earlier = altered(market, message, refreshed_model=body_of(message).start_model)
    assert refusal(market, owner, earlier) == "model_of_an_earlier_round"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda market, updates: (updates[1], updates[0]), "updates_out_of_order"),
        (lambda market, updates: (updates[0], updates[0]), "updates_out_of_order"),
        (lambda market, updates: updates[:1], "wrong_trainers"),
        (lambda market, updates: (unsigned(updates[0], updates[1]), updates[1]), "bad_signature"),
        (lambda market, updates: (resigned(market, updates[0], round=1), updates[1]), "wrong_evidence"),
        (lambda market, updates: (resigned(market, updates[0], training=2), updates[1]), "wrong_evidence"),
        (
            lambda market, updates: (resigned(market, updates[0], type="encrypted_metric"), updates[1]),
            "wrong_evidence",
        ),
        (lambda market, updates: (updates[0], by_a_validator(market, updates[1])), "wrong_trainers"),
        (lambda market, updates: (elsewhere(market, updates[0]), updates[1]), "wrong_start_model"),
        (lambda market, updates: (first_round(market), updates[1]), "wrong_evidence"),
    ],
    ids=["order", "twice", "one", "unsigned", "round", "training", "type", "validator", "start", "replay"],
)
def test_updates_are_what_their_trainers_signed(models: Stopped, change: Any, code: str) -> None:
    market, owner, message = models
    updates = change(market, body_of(message).updates)
    assert refusal(market, owner, altered(market, message, updates=updates)) == code


def unsigned(message: SignedMessage, other: SignedMessage) -> SignedMessage:
    return message.model_copy(update={"body": other.body})


def by_a_validator(market: PureMarket, update: SignedMessage) -> SignedMessage:
    return resigned(market, update, sender=market.owners[3].address)


def elsewhere(market: PureMarket, update: SignedMessage) -> SignedMessage:
    return altered(market, update, start_digest=b"\1" * 32)


def first_round(market: PureMarket) -> SignedMessage:
    return next(m for m in market.sent("gradient_update") if m.envelope.round == 1)


@pytest.mark.parametrize("kind", BAD_VECTORS)
@pytest.mark.parametrize("field", ["start_model", "refreshed_model"])
def test_a_validator_computes_on_proper_ciphertexts_only(models: Stopped, field: str, kind: str) -> None:
    market, owner, message = models
    vector, code = spoilt(getattr(body_of(message), field), market, kind)
    codes = (code, "wrong_start_model") if field == "start_model" else (code,)
    assert refusal(market, owner, altered(market, message, **{field: vector})) in codes


@pytest.mark.parametrize(
    ("seats", "code"),
    [
        ((3, 4), "not_a_validator"),
        ((2,), "wrong_validators"),
        ((0, 2), "wrong_validators"),
        ((3, 2), "validators_out_of_order"),
    ],
)
def test_the_members_of_an_attempt(models: Stopped, seats: tuple[int, ...], code: str) -> None:
    """A validator alone, or with a trainer, would have no other's mask over its numbers."""
    market, owner, message = models
    validators = tuple(market.contract.seats[seat] for seat in seats)
    assert refusal(market, owner, altered(market, message, validators=validators)) == code


def test_the_start_is_not_measured_when_its_error_is_known(models: Stopped) -> None:
    """Whoever can predict an opened number can hide another one in it."""
    market, owner, message = models
    measured = altered(market, message, measure_start=True)
    assert refusal(market, owner, measured) == "wrong_start_measurement"


def test_an_opened_round_is_not_measured_again(models: Stopped) -> None:
    market, owner, message = models
    first = market.sent("local_models")[0]
    again = resigned(market, first, attempt=2, recipient=owner.address)
    assert refusal(market, owner, again) == "already_opened"
    assert message.envelope.round == 2


def test_an_attempt_is_measured_once() -> None:
    """Two sets of models under one attempt's masks would show the difference of their errors."""
    market, owner, message = stopped_at("local_models", 2)
    deliver((market, owner, message))
    assert refusal(market, owner, message) == "attempt_out_of_order"
    fewer = altered(market, message, updates=body_of(message).updates[:2][::-1])
    assert refusal(market, owner, fewer) == "attempt_out_of_order"


# ---- the validator: products and metrics ----


@pytest.fixture(scope="module")
def products() -> Stopped:
    return stopped_at("metric_products", 2)


@pytest.mark.parametrize("kind", BAD_VECTORS)
@pytest.mark.parametrize("field", ["own", "cross"])
def test_products_are_proper_ciphertexts(products: Stopped, field: str, kind: str) -> None:
    market, owner, message = products
    vector, code = spoilt(getattr(body_of(message), field), market, kind)
    assert refusal(market, owner, altered(market, message, **{field: vector})) == code


def test_products_come_from_the_buyer_once() -> None:
    market, owner, message = stopped_at("metric_products", 2)
    forged = resigned(market, message, sender=market.aggregator.address)
    assert refusal(market, owner, forged) == "wrong_sender"
    deliver((market, owner, message))
    assert refusal(market, owner, message) == "asked_twice"


@pytest.fixture(scope="module")
def shown() -> Stopped:
    return stopped_at("opening_request", 2)


def with_metric(stopped: Stopped, index: int, **changes: Any) -> SignedMessage:
    market, _, message = stopped
    metrics = list(body_of(message).metrics)
    metrics[index] = altered(market, metrics[index], **changes)
    return altered(market, message, metrics=tuple(metrics))


def test_a_validator_must_find_its_own_metric_unchanged(shown: Stopped) -> None:
    market, owner, message = shown
    metrics = body_of(message).metrics
    others = body_of(metrics[1]).values
    assert refusal(market, owner, with_metric(shown, 0, values=others)) == "own_metric_changed"
    fewer = altered(market, message, metrics=metrics[1:])
    assert refusal(market, owner, fewer) == "wrong_members"
    assert refusal(market, owner, altered(market, message, metrics=metrics[:2])) == "wrong_members"


def test_a_validator_refuses_metrics_of_other_models(shown: Stopped) -> None:
    market, owner, message = shown
    metrics = list(body_of(message).metrics)
    updates = body_of(metrics[0]).updates
    changed = (updates[0].model_copy(update={"digest": b"\1" * 32}), *updates[1:])
    for changes, code in (
        ({"updates": changed}, "other_updates"),
        ({"refreshed_digest": b"\1" * 32}, "other_refreshed_model"),
    ):
        all_changed = tuple(altered(market, metric, **changes) for metric in metrics)
        assert refusal(market, owner, altered(market, message, metrics=all_changed)) == code
        assert refusal(market, owner, with_metric(shown, 1, **changes)) == "validators_disagree"


@pytest.mark.parametrize("kind", BAD_PACKED)
def test_a_validator_refuses_spoilt_metrics(shown: Stopped, kind: str) -> None:
    market, owner, message = shown
    values, code = spoilt(body_of(body_of(message).metrics[1]).values, market, kind)
    assert refusal(market, owner, with_metric(shown, 1, values=values)) == code


def test_a_wrong_row_count_of_another_validator(shown: Stopped) -> None:
    market, owner, _ = shown
    assert refusal(market, owner, with_metric(shown, 1, rows=1)) == "wrong_row_count"
