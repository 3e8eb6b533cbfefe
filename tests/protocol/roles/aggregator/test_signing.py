"""What a buyer or a validator cannot do to the record of a round."""

from typing import Any

import pytest

from protocol.envelope import SignedMessage
from protocol.roles.engine.inputs import MessageReceived
from protocol.signatures import sign_digest
from protocol.vectors import EncryptedVector
from tests.support.roles.aggregator_attack import Asked, asked, refuses
from tests.support.roles.plain_market import assert_model_of_twin
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.small_markets import altered, body_of, refusal, resigned, small_market

# ---- the opening and the signatures ----


@pytest.fixture(scope="module")
def opened() -> Asked:
    return asked("opening")


def test_a_forged_opening(opened: Asked) -> None:
    body = body_of(opened[1])
    assert refuses(opened, plaintexts=(body.plaintexts[0] + 1, *body.plaintexts[1:])) == "bad_opening"
    assert refuses(opened, roots=(body.roots[0] + 1, *body.roots[1:])) == "bad_opening"
    assert refuses(opened, plaintexts=body.plaintexts[1:]) == "bad_opening"


@pytest.mark.parametrize(
    "change",
    [{"mse_before": 1}, {"last": True}, {"model_digest": b"\1" * 32}, {"delivered_digest": b"\1" * 32}],
    ids=str,
)
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
    return asked("round_signature")


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
    market, message = asked("round_signature")
    for _ in range(3):
        market.deliver(market.aggregator, MessageReceived(signed=resigned(market, message)))
    assert not market.contract.recorded
    market.run()
    assert_model_of_twin(market)


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
