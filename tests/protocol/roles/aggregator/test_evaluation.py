"""What a validator cannot do to the aggregator's evaluation lane."""

import pytest

from protocol.envelope import SignedMessage
from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.aggregator_attack import Asked, asked, refuses
from tests.support.roles.forgeries import BAD_PACKED, spoilt
from tests.support.roles.small_markets import altered, body_of, refusal, resigned, small_data, small_market


@pytest.fixture(scope="module")
def metric() -> Asked:
    return asked("encrypted_metric")


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
    stopped = market, message = asked("encrypted_metric")
    trainer = resigned(market, message, sender=market.owners[0].address)
    assert refusal(market, market.aggregator, trainer) == "not_a_validator"
    for moved in (resigned(market, message, attempt=2), resigned(market, message, round=2)):
        assert refusal(market, market.aggregator, moved) == "attempt_out_of_order"
    market.deliver(market.aggregator, MessageReceived(signed=message))
    assert refuses(stopped) == "measured_twice"


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
