"""What an aggregator or a buyer cannot get out of a data owner, least of all as a trainer."""

from dataclasses import replace
from typing import Any

import pytest

from protocol.crypto.paillier import generate_private_key
from protocol.crypto.validation import prove_key
from protocol.request_parsing import parse_request
from protocol.roles.engine.inputs import EventConfirmed, MessageReceived
from tests.support.roles.forgeries import BAD_VECTORS, spoilt
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import (
    Stopped,
    altered,
    body_of,
    deliver,
    paid_under,
    refusal,
    resigned,
    small_market,
    small_request,
    stopped_at,
)

# ---- the invitation ----


@pytest.fixture(scope="module")
def invitation() -> Stopped:
    return stopped_at("invitation", 0, round_number=0)


def test_other_terms_than_those_paid_for(invitation: Stopped) -> None:
    market, owner, message = invitation
    values = {**small_request(payment={"deposit_wei": "1"}), "aggregator": market.aggregator.address}
    other = altered(market, message, request=parse_request(values))
    assert refusal(market, owner, other) == "request_hash_differs"


def test_an_invitation_comes_from_the_trainings_aggregator(invitation: Stopped) -> None:
    market, owner, message = invitation
    for sender in (market.buyer, market.owners[1]):
        forged = resigned(market, message, sender=sender.address)
        assert refusal(market, owner, forged) == "wrong_sender"


def test_a_key_that_is_none(invitation: Stopped) -> None:
    market, owner, message = invitation
    body = body_of(message)
    n = int(body.public_key)
    for changes in ({"public_key": n + 2}, {"public_key": n >> 8}, {"key_proof": body.key_proof[1:]}):
        paid_under(market, owner, changes.get("public_key", n))
        assert refusal(market, owner, altered(market, message, **changes)) == "bad_key"
    paid_under(market, owner, n)


def test_a_key_of_the_aggregators_own(invitation: Stopped) -> None:
    """Under it, an aggregator read an owner's XᵀX and Xᵀy out of the answer to one chosen model."""
    market, owner, message = invitation
    own = generate_private_key(market.request.key_bits)
    proof = tuple(prove_key(own))
    forged = altered(market, message, public_key=int(own.public_key.n), key_proof=proof)
    assert refusal(market, owner, forged) == "request_hash_differs"


def test_a_key_shorter_than_an_owner_accepts() -> None:
    market, owner, message = stopped_at("invitation", 0, round_number=0)
    context = market.context(owner)
    market.context = lambda _party: replace(context, least_key_bits=2048)  # type: ignore[method-assign]
    assert refusal(market, owner, message) == "key_too_small"


def test_an_invitation_before_the_opening_is_confirmed_is_held() -> None:
    """Anyone could send one for the next training's number, and the true one would come too late."""
    market = small_market()
    owner = market.owners[0]
    market.pending = [entry for entry in market.pending if not _is_opening(entry, owner)]
    message = market.run_until("invitation", owner)
    forged = resigned(market, message, sender=market.owners[1].address)
    for early in (forged, message):
        step = market.deliver(owner, MessageReceived(signed=early))
        assert step is not None
        assert {effect.effect for effect in step.effects} <= {"timer", "blob"}
    opened = next(item for item in market.buyer.inbox if isinstance(item, EventConfirmed))
    market.deliver(owner, opened)
    assert owner.shown == "INITIATED"
    assert [violation.code for violation in owner.violations] == ["wrong_sender"]


def _is_opening(entry: Any, owner: Party) -> bool:
    return entry[0] == owner.address and isinstance(entry[1], EventConfirmed)


# ---- the trainer ----


@pytest.fixture(scope="module")
def model() -> Stopped:
    return stopped_at("encrypted_model", 0, round_number=2)


@pytest.mark.parametrize("kind", BAD_VECTORS)
def test_a_trainer_computes_on_proper_ciphertexts_only(model: Stopped, kind: str) -> None:
    market, owner, message = model
    vector, code = spoilt(body_of(message).model, market, kind)
    assert refusal(market, owner, altered(market, message, model=vector)) == code


def test_a_trainer_answers_in_order(model: Stopped) -> None:
    market, owner, message = model
    for round_number in (0, 3):
        assert refusal(market, owner, resigned(market, message, round=round_number)) == "round_out_of_order"


def test_the_same_question_gets_the_same_bytes() -> None:
    market, owner, message = stopped_at("encrypted_model", 0)
    deliver((market, owner, message))
    again = resigned(market, message)
    market.deliver(owner, MessageReceived(signed=again))
    updates = [m for m in market.sent("proven_update") if m.envelope.sender == owner.address]
    assert len(updates) == 2
    assert updates[0].body == updates[1].body
    other = altered(market, message, model=body_of(updates[0]).local_model.model_copy(update={"scale": 64}))
    assert refusal(market, owner, other) == "second_model_for_round"


def test_a_validator_does_not_train() -> None:
    market, owner, message = stopped_at("round_evidence", 2)
    [question, *_] = market.sent("encrypted_model")
    asked = resigned(market, question, recipient=owner.address)
    assert refusal(market, owner, asked) == "not_a_trainer"
    trainer = market.owners[0]
    measured = resigned(market, message, recipient=trainer.address)
    assert refusal(market, trainer, measured) == "not_a_validator"


def test_the_proof_of_another_key_proves_nothing(invitation: Stopped) -> None:
    market, owner, message = invitation
    proof = tuple(prove_key(generate_private_key(512)))
    assert refusal(market, owner, altered(market, message, key_proof=proof)) == "bad_key"
