"""What a buyer, a trainer or a validator cannot do to the aggregator."""

from typing import Any

import pytest

from protocol.envelope import SignedMessage
from protocol.roles.engine.inputs import MessageReceived
from protocol.signatures import sign_digest
from protocol.vectors import EncryptedVector
from tests.support.forgeries import BAD_PACKED, BAD_VECTORS, spoilt
from tests.support.plain_market import assert_model_of_twin
from tests.support.pure_contract import MARKET
from tests.support.pure_market import PureMarket
from tests.support.small_markets import (
    altered,
    body_of,
    refusal,
    resigned,
    small_data,
    small_market,
)

Asked = tuple[PureMarket, SignedMessage]


def stopped_at(type_name: str) -> Asked:
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4])
    return market, market.run_until(type_name, market.aggregator)


def refuses(asked: Asked, **changes: Any) -> str:
    market, message = asked
    return refusal(market, market.aggregator, altered(market, message, **changes))


# ---- the updates ----


@pytest.fixture(scope="module")
def update() -> Asked:
    return stopped_at("gradient_update")


@pytest.mark.parametrize("kind", BAD_VECTORS)
def test_updates_are_proper_ciphertexts(update: Asked, kind: str) -> None:
    market, message = update
    vector, code = spoilt(body_of(message).local_model, market, kind)
    assert refuses(update, local_model=vector) == code


def test_updates_start_from_the_rounds_model(update: Asked) -> None:
    assert refuses(update, start_digest=b"\1" * 32) == "wrong_start_model"


def test_updates_come_from_trainers_once_and_in_their_round() -> None:
    asked = market, message = stopped_at("gradient_update")
    validator = resigned(market, message, sender=market.owners[2].address)
    assert refusal(market, market.aggregator, validator) == "not_a_trainer"
    for round_number in (0, 2):
        moved = resigned(market, message, round=round_number)
        assert refusal(market, market.aggregator, moved) == "round_out_of_order"
    market.deliver(market.aggregator, MessageReceived(signed=message))
    assert refuses(asked) == "updated_twice"


# ---- the refresh ----


@pytest.fixture(scope="module")
def refreshed() -> Asked:
    return stopped_at("refresh_answer")


@pytest.mark.parametrize("kind", BAD_VECTORS)
def test_refreshed_models_are_proper_ciphertexts(refreshed: Asked, kind: str) -> None:
    market, message = refreshed
    vector, code = spoilt(body_of(message).model, market, kind)
    assert refuses(refreshed, model=vector) == code


def test_only_the_buyer_refreshes_the_round_that_was_asked_about(refreshed: Asked) -> None:
    market, message = refreshed
    forged = resigned(market, message, sender=market.owners[0].address)
    assert refusal(market, market.aggregator, forged) == "wrong_sender"
    moved = resigned(market, message, round=2)
    assert refusal(market, market.aggregator, moved) == "round_out_of_order"


# ---- the metrics ----


@pytest.fixture(scope="module")
def metric() -> Asked:
    return stopped_at("encrypted_metric")


@pytest.mark.parametrize("kind", BAD_PACKED)
def test_a_spoilt_metric_does_not_get_in(metric: Asked, kind: str) -> None:
    """The buyer would refuse the whole product: one validator could end the training."""
    market, message = metric
    vector, code = spoilt(body_of(message).values, market, kind)
    assert refuses(metric, values=vector) == code


def test_a_metric_of_something_else_does_not_get_in(metric: Asked) -> None:
    updates = body_of(metric[1]).updates
    changed = (updates[0].model_copy(update={"digest": b"\1" * 32}), *updates[1:])
    assert refuses(metric, updates=changed) == "other_updates"
    assert refuses(metric, updates=updates[::-1]) == "other_updates"
    assert refuses(metric, refreshed_digest=b"\1" * 32) == "other_refreshed_model"
    assert refuses(metric, start_digest=b"\1" * 32) == "wrong_start_model"
    assert refuses(metric, measure_start=False) == "wrong_start_measurement"
    assert refuses(metric, rows=13) == "wrong_row_count"


def test_metrics_come_from_validators_once_and_in_their_attempt() -> None:
    asked = market, message = stopped_at("encrypted_metric")
    trainer = resigned(market, message, sender=market.owners[0].address)
    assert refusal(market, market.aggregator, trainer) == "not_a_validator"
    for moved in (resigned(market, message, attempt=2), resigned(market, message, round=2)):
        assert refusal(market, market.aggregator, moved) == "attempt_out_of_order"
    market.deliver(market.aggregator, MessageReceived(signed=message))
    assert refuses(asked) == "measured_twice"


def test_a_validator_that_sends_nonsense_is_dropped_and_the_training_goes_on() -> None:
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4])
    bad = market.owners[2].address

    def intercept(message: SignedMessage) -> tuple[SignedMessage, ...]:
        if message.envelope.type == "encrypted_metric" and message.envelope.sender == bad:
            return (altered(market, message, refreshed_digest=b"\1" * 32),)
        return (message,)

    market.intercept = intercept
    market.finish()
    assert market.buyer.shown == "FINISHED"
    assert all(not event.record.validators >> 2 & 1 for event in market.contract.recorded)


# ---- the opening and the signatures ----


@pytest.fixture(scope="module")
def opened() -> Asked:
    return stopped_at("opening")


def test_a_forged_opening(opened: Asked) -> None:
    body = body_of(opened[1])
    assert refuses(opened, plaintexts=(body.plaintexts[0] + 1, *body.plaintexts[1:])) == "bad_opening"
    assert refuses(opened, roots=(body.roots[0] + 1, *body.roots[1:])) == "bad_opening"
    assert refuses(opened, plaintexts=body.plaintexts[1:]) == "bad_opening"


@pytest.mark.parametrize("change", [{"mse_before": 1}, {"last": True}, {"model_digest": b"\1" * 32}], ids=str)
def test_a_forged_record(opened: Asked, change: dict[str, Any]) -> None:
    market, message = opened
    forged = body_of(message).record.model_copy(update=change)
    signature = sign_digest(market.buyer.signing_key, forged.digest(MARKET))
    assert refuses(opened, record=forged, signature=signature) == "wrong_record"
    assert refuses(opened, signature=signature) == "bad_record_signature"


def test_only_the_buyer_opens(opened: Asked) -> None:
    market, message = opened
    forged = resigned(market, message, sender=market.owners[2].address)
    assert refusal(market, market.aggregator, forged) == "wrong_sender"
    moved = resigned(market, message, attempt=2)
    assert refusal(market, market.aggregator, moved) == "attempt_out_of_order"


@pytest.fixture(scope="module")
def signature() -> Asked:
    return stopped_at("round_signature")


def test_a_validator_signs_for_itself(signature: Asked) -> None:
    market, message = signature
    for other in (market.owners[3], market.buyer):
        assert message.envelope.sender != other.address
        digest = body_of(market.sent("opening")[0]).record.digest(MARKET)
        by_other = sign_digest(other.signing_key, digest)
        assert refuses(signature, signature=by_other) == "bad_record_signature"
    assert refuses(signature, signature=b"\0" * 65) == "bad_signature"
    trainer = resigned(market, message, sender=market.owners[0].address)
    assert refusal(market, market.aggregator, trainer) == "not_a_validator"


def test_one_validator_signing_twice_is_no_majority() -> None:
    market, message = stopped_at("round_signature")
    for _ in range(3):
        market.deliver(market.aggregator, MessageReceived(signed=resigned(market, message)))
    assert not market.contract.recorded
    market.run()
    assert_model_of_twin(market)


# ---- replays ----


def test_everything_replayed_after_the_end_changes_nothing() -> None:
    market = small_market()
    market.finish()
    before = {address: party.decoded for address, party in market.parties.items()}
    sent = list(market.wire)
    for message in sent:
        recipient = market.parties[message.envelope.recipient]
        step = market.deliver(recipient, MessageReceived(signed=message))
        assert step is not None
        # An aggregator that sends the model again has not heard that it arrived.
        receipts = {"send"} if message.envelope.type == "trained_model" else set()
        assert {effect.effect for effect in step.effects} <= {"fact", "violation"} | receipts
    assert {address: party.decoded for address, party in market.parties.items()} == before
    assert [message.envelope.type for message in market.wire[len(sent) :]] == ["model_received"]


# ---- a model out of range ----


@pytest.mark.parametrize("bits", [170, 300, 511])
def test_a_local_model_out_of_range_publishes_nothing(bits: int) -> None:
    """Values far out of range would turn an opened error into many numbers."""
    market = small_market()
    shift = market.key.public_key.lift(1 << bits)

    def intercept(message: SignedMessage) -> tuple[SignedMessage, ...]:
        first = message.envelope.sender == market.owners[0].address
        if message.envelope.type != "gradient_update" or not first:
            return (message,)
        vector = body_of(message).local_model
        key = market.key.public_key
        read = vector.read(key, scale=vector.scale, count=len(vector.ciphertexts))
        oversized = EncryptedVector.of(key, [key.add(read[0], shift), *read[1:]], vector.scale)
        return (altered(market, message, local_model=oversized),)

    market.intercept = intercept
    market.finish()
    assert market.contract.status == "cancelled"
    assert not market.contract.recorded
    assert market.sent("opening_refused")
    assert not market.sent("opening")
    assert not market.buyer.results
    assert market.aggregator.shown == "FAILED(implausible)"
