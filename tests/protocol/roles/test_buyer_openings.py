"""What nobody can have opened by the buyer."""

from typing import Any

import pytest

from protocol.envelope import SignedMessage
from protocol.messages import EncryptedMetric, OpeningRequest
from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.forgeries import BAD_PACKED, spoilt
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import altered, body_of, refusal, resigned, small_data, small_market

SHIFT = 1 << 40


def stopped_at(type_name: str, **options: Any) -> tuple[PureMarket, SignedMessage]:
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4], **options)
    return market, market.run_until(type_name, market.buyer)


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


def test_a_round_that_ends_in_the_model_it_started_from_is_not_opened(
    opening: tuple[PureMarket, SignedMessage],
) -> None:
    market, message = opening
    digest = body_of(body_of(message).metrics[0]).start_digest
    again = changed_by_sender(market, message, None, refreshed_digest=digest)
    assert refusal(market, market.buyer, again) == "model_of_an_earlier_round"


def test_half_of_the_drawn_validators_have_nothing_opened() -> None:
    """An aggregator with two accomplices among four validators could otherwise record what it likes."""
    market = small_market(data=small_data(owners=6), validators=[2, 3, 4, 5])
    message = market.run_until("opening_request", market.buyer)
    metrics = list(body_of(message).metrics)
    assert refusal(market, market.buyer, asking(market, message, metrics[:2])) == "too_few_validators"


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
