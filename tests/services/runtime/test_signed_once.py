"""An honest party signs one record of a round, whatever state it is brought back to."""

import pytest

from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.inputs import MessageReceived
from services.identity.signed_rounds import SignedRounds
from services.runtime.signed_once import require_signed_once
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import altered, body_of, refusal, resigned, small_data, small_market


def step_of(market: PureMarket, party: Party, message: SignedMessage) -> EncodedStep:
    step = market.deliver(party, MessageReceived(signed=message))
    assert step is not None
    return step


def other_request(market: PureMarket, request: SignedMessage) -> SignedMessage:
    """The aggregator shows the same metrics, one of them sent anew: what is opened has another transcript."""
    first, *others = body_of(request).metrics
    return altered(market, request, metrics=(resigned(market, first), *others))


def opening_for(market: PureMarket, party: Party) -> SignedMessage:
    """The last one that the buyer has sent to it."""
    return [one for one in market.sent("opening") if one.envelope.recipient == party.address][-1]


def asked() -> tuple[PureMarket, Party, SignedMessage, SignedMessage]:
    """A market, a validator, and the requests to open that are about to arrive at it and at the buyer."""
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4])
    validator = market.owners[2]
    to_buyer = market.run_until("opening_request", market.buyer)
    [to_validator] = [
        one for one in market.sent("opening_request") if one.envelope.recipient == validator.address
    ]
    return market, validator, to_buyer, to_validator


def test_a_state_that_knows_what_it_has_signed_signs_nothing_else() -> None:
    market, validator, to_buyer, to_validator = asked()
    other = other_request(market, to_buyer)
    step_of(market, market.buyer, to_buyer)
    assert refusal(market, market.buyer, other) == "already_opened"
    step_of(market, validator, to_validator)
    opening = opening_for(market, validator)
    step_of(market, validator, opening)
    assert refusal(market, validator, opening) == "attempt_out_of_order"


def test_an_older_state_would_sign_again_and_is_kept_from_it() -> None:
    """A store that was copied back by hand remembers nothing of the signature: the key store does."""
    market, validator, to_buyer, to_validator = asked()
    buyer, buyers, validators = market.buyer, SignedRounds(), SignedRounds()
    older, blobs = (buyer.state, validator.state), (buyer.blobs, validator.blobs)
    for _ in range(2):  # a step that is repeated signs the same
        buyer.state, buyer.blobs = older[0], blobs[0]
        require_signed_once(step_of(market, buyer, to_buyer), MARKET, buyers)
    step_of(market, validator, to_validator)
    signing = step_of(market, validator, opening_for(market, validator))
    require_signed_once(signing, MARKET, validators)
    (buyer.state, validator.state), (buyer.blobs, validator.blobs) = older, blobs
    metrics = body_of(other_request(market, to_buyer)).metrics
    again = step_of(market, buyer, altered(market, to_buyer, metrics=metrics))
    with pytest.raises(ProtocolViolation, match="signed_otherwise"):
        require_signed_once(again, MARKET, buyers)
    step_of(market, validator, altered(market, to_validator, metrics=metrics))
    again = step_of(market, validator, opening_for(market, validator))
    assert again.state != older[1], "the role itself knows no better"
    with pytest.raises(ProtocolViolation, match="signed_otherwise"):
        require_signed_once(again, MARKET, validators)
