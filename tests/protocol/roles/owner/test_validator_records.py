"""What no buyer can have a validator sign."""

from typing import Any

import pytest

from protocol.signatures import sign_digest
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.small_markets import (
    Stopped,
    altered,
    body_of,
    deliver,
    refusal,
    resigned,
    stopped_at,
)


@pytest.fixture(scope="module")
def opened() -> Stopped:
    return stopped_at("opening", 2)


def test_a_forged_opening(opened: Stopped) -> None:
    market, owner, message = opened
    body = body_of(message)
    n = int(market.key.public_key.n)
    cases = [
        {"plaintexts": (body.plaintexts[0] - (1 << 300), *body.plaintexts[1:])},
        {"plaintexts": (body.plaintexts[0] + n, *body.plaintexts[1:])},
        {"roots": (body.roots[0] + 1, *body.roots[1:])},
        {"roots": (0, *body.roots[1:])},
        {"roots": body.roots[1:]},
        {"plaintexts": body.plaintexts[1:], "roots": body.roots[1:]},
    ]
    for changes in cases:
        assert refusal(market, owner, altered(market, message, **changes)) == "bad_opening"


@pytest.mark.parametrize(
    "change",
    [
        {"mse_before": 1},
        {"last": True},
        {"round": 2},
        {"trainers": 1},
        {"validators": 12},
        {"model_digest": b"\1" * 32},
        {"delivered_digest": b"\1" * 32},
        {"transcript_digest": b"\1" * 32},
        {"own": "swapped"},
        {"cross": "swapped"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_forged_record(opened: Stopped, change: dict[str, Any]) -> None:
    market, owner, message = opened
    record = body_of(message).record
    changes = {k: getattr(record, k)[::-1] if v == "swapped" else v for k, v in change.items()}
    forged = record.model_copy(update=changes)
    signature = sign_digest(market.buyer.signing_key, forged.digest(MARKET))
    lie = altered(market, message, record=forged, signature=signature)
    assert refusal(market, owner, lie) == "wrong_record"


def test_a_record_that_the_buyer_did_not_sign(opened: Stopped) -> None:
    market, owner, message = opened
    digest = body_of(message).record.digest(MARKET)
    by_another = sign_digest(market.aggregator.signing_key, digest)
    assert refusal(market, owner, altered(market, message, signature=by_another)) == "bad_record_signature"
    elsewhere_market = MARKET.model_copy(update={"chain_id": 1})
    other_chain = sign_digest(market.buyer.signing_key, body_of(message).record.digest(elsewhere_market))
    assert refusal(market, owner, altered(market, message, signature=other_chain)) == "bad_record_signature"


def test_only_the_buyer_opens(opened: Stopped) -> None:
    market, owner, message = opened
    forged = resigned(market, message, sender=market.aggregator.address)
    assert refusal(market, owner, forged) == "wrong_sender"


def test_an_opening_is_signed_once() -> None:
    market, owner, message = stopped_at("opening", 2)
    deliver((market, owner, message))
    assert refusal(market, owner, message) == "attempt_out_of_order"
    signed = [m for m in market.sent("round_signature") if m.envelope.sender == owner.address]
    others = [one for one in market.validators() if one is not owner]
    told = (market.aggregator, market.buyer, *others)
    assert [m.envelope.recipient for m in signed] == [party.address for party in told]
