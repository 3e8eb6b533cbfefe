"""The contract's calls and events as values."""

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from protocol import marketplace as chain
from protocol.accusations import AccuseOfFalseOpening, AccuseOfTwoRecords, SignedOpening
from protocol.codec import pack, unpack
from protocol.marketplace import ContractCall, MarketplaceEvent, training_of
from protocol.terms import Terms
from protocol.types import FrozenModel
from tests.support.deployment.documents import KEY_ID, RECORD, any_request

ACCOUNT = "0x" + "0a" * 20
KEY = b"k" * 32
WEI = (1 << 256) - 1
SIGNATURE = b"s" * 65
TERMS = any_request().terms(KEY_ID)

CALLS: list[FrozenModel] = [
    chain.Register(role="data_owner", exchange_key=KEY),
    chain.Open(terms=TERMS, deposit=WEI),
    chain.Join(training=1, commitment=KEY, nonce_digest=KEY, aggregator_signature=SIGNATURE),
    chain.Close(training=1),
    chain.Reveal(training=1, nonce=KEY),
    chain.Draw(training=1),
    chain.RecordRound(record=RECORD, buyer_signature=SIGNATURE, validator_signatures=(SIGNATURE, b"")),
    chain.Settle(training=1),
    chain.Cancel(training=1),
    chain.ReleaseBond(training=1),
    AccuseOfTwoRecords(
        first=RECORD, first_signature=SIGNATURE, second=RECORD, second_signature=SIGNATURE, account=ACCOUNT
    ),
    AccuseOfFalseOpening(
        opening=SignedOpening.of(1, 2, n=99, ciphertext=5, plaintext=6, root=7),
        signature=SIGNATURE,
        account=ACCOUNT,
    ),
    chain.Claim(training=1),
    chain.Withdraw(),
]
EVENTS: list[FrozenModel] = [
    chain.Registered(account=ACCOUNT, role="model_buyer", exchange_key=KEY),
    chain.Opened(training=1, buyer=ACCOUNT, aggregator=ACCOUNT, deposit=WEI, terms=TERMS),
    chain.Joined(training=1, owner=ACCOUNT, seat=255, commitment=KEY, nonce_digest=KEY),
    chain.Closed(training=1, draw_block=9),
    chain.Revealed(training=1, owner=ACCOUNT, seat=255, nonce=KEY),
    chain.RolesDrawn(training=1, trainers=(1 << 256) - 1, validators=1),
    chain.RoundRecorded(
        training=1, round=2, record=RECORD, mse_after=10**21, shapley=(-(10**21), 5), pay_weights=(0, 5)
    ),
    chain.Settled(training=1, improvement=10**18, paid=5, refund=WEI),
    chain.Cancelled(training=1, refund=WEI),
    chain.Credited(training=1, account=ACCOUNT, share="contribution", amount=WEI),
    chain.BondForfeited(training=1, account=ACCOUNT, fault="no_reveal", amount=WEI),
    chain.OpeningDoubted(training=1, opening_digest=KEY, done=2, steps=24),
    chain.Withdrawn(account=ACCOUNT, amount=WEI),
]


@pytest.mark.parametrize(("union", "samples"), [(ContractCall, CALLS), (MarketplaceEvent, EVENTS)])
def test_every_call_and_event_survives_the_wire(union: Any, samples: list[FrozenModel]) -> None:
    assert {type(sample) for sample in samples} == set(get_args(get_args(union)[0]))
    for sample in samples:
        received = unpack(union, pack(sample))
        assert type(received) is type(sample)
        assert received == sample


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_know_their_training(event: Any) -> None:
    about_an_account = isinstance(event, chain.Registered | chain.Withdrawn)
    assert training_of(event) == (0 if about_an_account else 1)


@pytest.mark.parametrize(
    "change",
    [
        {"rounds": 0},
        {"min_owners": 3},
        {"max_owners": 257},
        {"contribution_bps": 10_001},
        {"join_seconds": 0},
        {"join_seconds": 365 * 86_400 + 1},
        {"round_seconds": 30 * 86_400 + 1},
        {"abandon_bps": 1001},
        {"owner_bond": 1 << 128},
        {"buyer_bond": -1},
        {"reveal_seconds": 0},
        {"reveal_seconds": 7 * 86_400 + 1},
        {"request_hash": b"short"},
    ],
)
def test_terms_the_contract_would_refuse_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Terms.model_validate({**TERMS.model_dump(), **change})


@pytest.mark.parametrize("amount", [-1, 1 << 256])
def test_amounts_fit_a_word(amount: int) -> None:
    with pytest.raises(ValidationError):
        chain.Open(terms=TERMS, deposit=amount)


def test_names_in_the_order_of_the_contract_s_numbers() -> None:
    assert [name for name, _ in sorted(chain.ROLE_NUMBERS.items(), key=lambda item: item[1])] == [
        "none",
        "model_buyer",
        "data_owner",
        "federated_aggregator",
    ]
    assert chain.STATUS_NAMES[3] == "running"
    assert chain.SHARE_NAMES[1] == "contribution"
