"""What a trainer or a buyer cannot do to the aggregator's training lane."""

import pytest

from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.aggregator_attack import Asked, asked, refuses
from tests.support.roles.forgeries import BAD_VECTORS, spoilt
from tests.support.roles.small_markets import body_of, refusal, resigned

# ---- the updates ----


@pytest.fixture(scope="module")
def update() -> Asked:
    return asked("gradient_update")


@pytest.mark.parametrize("kind", BAD_VECTORS)
def test_updates_are_proper_ciphertexts(update: Asked, kind: str) -> None:
    market, message = update
    vector, code = spoilt(body_of(message).local_model, market, kind)
    assert refuses(update, local_model=vector) == code


def test_updates_start_from_the_rounds_model(update: Asked) -> None:
    assert refuses(update, start_digest=b"\1" * 32) == "wrong_start_model"


def test_updates_come_from_trainers_once_and_in_their_round() -> None:
    stopped = market, message = asked("gradient_update")
    validator = resigned(market, message, sender=market.owners[2].address)
    assert refusal(market, market.aggregator, validator) == "not_a_trainer"
    for round_number in (0, 2):
        moved = resigned(market, message, round=round_number)
        assert refusal(market, market.aggregator, moved) == "round_out_of_order"
    market.deliver(market.aggregator, MessageReceived(signed=message))
    assert refuses(stopped) == "updated_twice"


# ---- the refresh ----


@pytest.fixture(scope="module")
def refreshed() -> Asked:
    return asked("refresh_answer")


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
