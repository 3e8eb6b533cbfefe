"""An honest party signs one record of a round, whatever state it is brought back to."""

from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

import pytest

from protocol.errors import ProtocolViolation
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.effects import SendMessage
from protocol.roles.engine.inputs import Input, MessageReceived
from services.identity.signed_rounds import SignedRounds
from services.runtime.signed_once import require_signed_once
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import refusal, resigned, small_data, small_market


class Signing(NamedTuple):
    """A market in which the first round is recorded, and the steps of buyer and a validator up to there."""

    market: PureMarket
    buyer: list[EncodedStep]
    validator: list[EncodedStep]


@cache
def signings() -> tuple[Signing, Signing]:
    """Two ways for one training to go on: with a metric sent anew, what is opened has another transcript."""
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4])
    metric = market.run_until("proven_metric", market.aggregator)
    other = deepcopy(market)
    market.post(metric)
    other.post(resigned(other, metric))
    return recorded(market), recorded(other)


def recorded(market: PureMarket) -> Signing:
    """Until the first round is on the chain."""
    found: dict[str, list[EncodedStep]] = {market.buyer.address: [], market.owners[2].address: []}
    deliver = market.deliver

    def noting(party: Party, item: Input) -> Any:
        step = deliver(party, item)
        if step is not None and party.address in found:
            found[party.address].append(step)
        return step

    market.deliver = noting  # type: ignore[method-assign]
    while not market.contract.recorded:
        market.deliver_next()
    market.deliver = deliver  # type: ignore[method-assign]
    return Signing(market, *found.values())


def test_a_state_that_knows_what_it_has_signed_signs_nothing_else() -> None:
    signed, otherwise = signings()
    market, buyer, validator = signed.market, signed.market.buyer, signed.market.owners[2]
    [request] = otherwise.market.sent("metric_opening_request")
    assert refusal(market, buyer, request) == "already_opened"
    [opening] = [
        one for one in otherwise.market.sent("opening") if one.envelope.recipient == validator.address
    ]
    step = market.deliver(validator, MessageReceived(signed=opening))
    assert step is not None
    assert "send" not in {effect.effect for effect in step.effects}


@pytest.mark.parametrize("who", ["buyer", "validator"])
def test_an_older_state_would_sign_again_and_is_kept_from_it(who: str) -> None:
    """A store that was copied back by hand remembers nothing of the signature: the key store does."""
    signed, otherwise = (getattr(one, who) for one in signings())
    known = SignedRounds()
    for step in (*signed, *signed):  # a step that is repeated signs the same
        require_signed_once(step, MARKET, known)
    [signing] = [one for one in otherwise if {"opening", "round_signature"} & sent_by(one)]
    with pytest.raises(ProtocolViolation, match="signed_otherwise"):  # the role itself knows no better
        require_signed_once(signing, MARKET, known)


def sent_by(step: EncodedStep) -> set[str]:
    return {effect.body.type for effect in step.effects if isinstance(effect, SendMessage)}
