"""What an aggregator, a validator or anyone else cannot get out of the buyer."""

from typing import Any

import pytest

from protocol.envelope import SignedMessage
from protocol.messages import EncryptedMetric, OpeningRequest, RowCount, TrainedModel
from protocol.roles.inputs import MessageReceived
from tests.support.forgeries import BAD_PACKED, BAD_VECTORS, spoilt
from tests.support.pure_market import PureMarket
from tests.support.small_markets import (
    altered,
    body_of,
    refusal,
    resigned,
    small_data,
    small_market,
    without,
)

SHIFT = 1 << 40


def stopped_at(type_name: str, **options: Any) -> tuple[PureMarket, SignedMessage]:
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4], **options)
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
    return stopped_at("refresh_request")


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


@pytest.mark.parametrize("round_number", [0, 3, 4])
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


# ---- the opening ----


@pytest.fixture(scope="module")
def opening() -> tuple[PureMarket, SignedMessage]:
    return stopped_at("opening_request")


def asking(market: PureMarket, message: SignedMessage, metrics: list[SignedMessage]) -> SignedMessage:
    return altered(market, message, metrics=tuple(metrics))


def changed_by_sender(
    market: PureMarket, message: SignedMessage, index: int | None, **changes: Any
) -> SignedMessage:
    """The opening request with one validator's metric (all for None) altered and signed by that validator."""
    metrics = list(body_of(message).metrics)
    for position, metric in enumerate(metrics):
        if index in (None, position):
            metrics[position] = altered(market, metric, **changes)
    return asking(market, message, metrics)


def test_a_second_set_of_members_is_never_opened() -> None:
    """The difference of two openings would be one validator's numbers."""
    market, message = stopped_at("opening_request")
    market.deliver(market.buyer, MessageReceived(signed=message))
    assert len({m.body for m in market.sent("opening")}) == 1
    metrics = list(body_of(message).metrics)
    assert refusal(market, market.buyer, asking(market, message, metrics[:2])) == "already_opened"
    assert refusal(market, market.buyer, resigned(market, message, attempt=2)) == "already_opened"
    assert refusal(market, market.buyer, message) == "already_opened"


def test_a_set_that_was_found_implausible_is_not_asked_about_again() -> None:
    market, message = stopped_at("opening_request")
    metrics = body_of(message).metrics
    shifted = [altered(market, metrics[0], values=body_of(metrics[1]).values), *metrics[1:]]
    market.deliver(market.buyer, MessageReceived(signed=asking(market, message, shifted)))
    assert len(market.sent("opening_refused")) == 4
    assert not market.sent("opening")
    assert refusal(market, market.buyer, message) == "already_opened"


def test_the_members_of_an_opening(opening: tuple[PureMarket, SignedMessage]) -> None:
    market, message = opening
    metrics = list(body_of(message).metrics)
    wanted = {
        "metrics_out_of_order": metrics[::-1],
        "too_few_validators": metrics[:1],
        "not_a_validator": [resigned(market, metrics[0], sender=market.trainers()[0].address), *metrics[1:]],
        "not_a_party": [resigned(market, metrics[0], sender=market.aggregator.address), *metrics[1:]],
    }
    for code, members in wanted.items():
        assert refusal(market, market.buyer, asking(market, message, members)) == code
    twice = asking(market, message, [metrics[0], *metrics])
    assert refusal(market, market.buyer, twice) == "metrics_out_of_order"


def test_a_metric_that_its_validator_did_not_sign(opening: tuple[PureMarket, SignedMessage]) -> None:
    market, message = opening
    metrics = list(body_of(message).metrics)
    unsigned = metrics[0].model_copy(update={"body": metrics[1].body})
    assert refusal(market, market.buyer, asking(market, message, [unsigned, *metrics[1:]])) == "bad_signature"


def test_evidence_of_another_place(opening: tuple[PureMarket, SignedMessage]) -> None:
    market, message = opening
    metrics = list(body_of(message).metrics)
    for change in ({"round": 2}, {"attempt": 2}, {"training": 2}, {"type": "noisy_metric"}):
        replayed = [resigned(market, metrics[0], **change), *metrics[1:]]
        assert refusal(market, market.buyer, asking(market, message, replayed)) == "wrong_evidence"


@pytest.mark.parametrize("field", ["start_digest", "refreshed_digest", "updates", "measure_start"])
def test_validators_must_have_measured_the_same(
    opening: tuple[PureMarket, SignedMessage], field: str
) -> None:
    market, message = opening
    metric: EncryptedMetric = body_of(body_of(message).metrics[1])
    other: Any = b"\1" * 32
    if field == "updates":
        other = (metric.updates[0].model_copy(update={"digest": b"\1" * 32}), *metric.updates[1:])
    if field == "measure_start":
        other = False
    altered_request = changed_by_sender(market, message, 1, **{field: other})
    assert refusal(market, market.buyer, altered_request) == "validators_disagree"


def test_what_all_validators_agree_on_must_fit_the_chain_of_rounds(
    opening: tuple[PureMarket, SignedMessage],
) -> None:
    """Even with every validator's signature: the start is the model of the round before."""
    market, message = opening
    cases = {
        "wrong_start_model": {"start_digest": b"\1" * 32},
        "wrong_start_measurement": {"measure_start": False},
        "updates_out_of_order": {"updates": body_of(body_of(message).metrics[0]).updates[::-1]},
    }
    for code, changes in cases.items():
        request = changed_by_sender(market, message, None, **changes)
        assert refusal(market, market.buyer, request) == code


def test_a_row_count_other_than_announced(opening: tuple[PureMarket, SignedMessage]) -> None:
    market, message = opening
    request = changed_by_sender(market, message, 1, rows=13)
    assert refusal(market, market.buyer, request) == "wrong_row_count"


@pytest.mark.parametrize("kind", BAD_PACKED)
def test_metrics_are_proper_ciphertexts_in_the_agreed_layout(
    opening: tuple[PureMarket, SignedMessage], kind: str
) -> None:
    market, message = opening
    values, code = spoilt(body_of(body_of(message).metrics[1]).values, market, kind)
    assert refusal(market, market.buyer, changed_by_sender(market, message, 1, values=values)) == code


def test_no_opening_without_metrics(opening: tuple[PureMarket, SignedMessage]) -> None:
    market, message = opening
    empty = OpeningRequest.model_construct(type="opening_request", metrics=())
    assert (
        refusal(market, market.buyer, market.message(market.aggregator, market.buyer, empty)) == "malformed"
    )
    assert message.envelope.type == "opening_request"


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
    assert not step.effects
    assert not market.buyer.results


def test_an_order_opens_one_training() -> None:
    """A second deposit for one order would be the buyer's loss."""
    market = small_market()
    [order] = [item for item in market.buyer.inbox if isinstance(item, MessageReceived)]
    assert refusal(market, market.buyer, order.signed) == "ordered_twice"
    assert [call for _, call in market.contract.calls] == ["open"]
